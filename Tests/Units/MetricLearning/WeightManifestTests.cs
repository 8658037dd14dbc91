using Microsoft.ML;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Files of weights that are damaged, or of something else, are refused by name, before any data is read.</summary>
[TestClass]
public sealed class WeightManifestTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow("\"conv32_1/conv1/scale/weights\"", "\"other\"", "lacks 'conv32_1/conv1/scale/weights' with 2 numbers")]
    [DataRow("\"fc\"", "\"dense\"", "has no tensors of dlib's face network")]
    [DataRow("\"conv64_1/conv1/conv/filters\",\"shape\":[3,3,4,4]", "\"conv64_1/conv1/conv/filters\",\"shape\":[3,3,16]", "'conv64_1/conv1/conv/filters' with other than 4 dimensions")]
    [DataRow("\"shape\":[7,7,3,2]", "\"shape\":[7,7,3,4]", "describes")]
    [DataRow("\"shape\":[7,7,3,2]", "\"shape\":[7,7,3,0]", "positive numbers, 'conv32_down/conv/filters'")]
    [DataRow("\"shape\":[7,7,3,2]", "\"shape\":[2147483647,2147483647,2147483647,2]", "no weights manifest")]
    [DataRow("\"dtype\":\"uint16\"", "\"dtype\":\"float16\"", "'conv32_2/conv2/conv/filters' of type float32 as float16; it must be float32, which may be quantized to uint8 or uint16")]
    [DataRow("\"dtype\":\"uint16\",\"scale\":", "\"dtype\":\"uint16\",\"scale\":1e999,\"was\":", "scale")]
    [DataRow("model_2.bin", "model_3.bin", "needs file 'model_3.bin' beside it, which does not exist")]
    [DataRow("model_2.bin", "../model_2.bin", "the name of a file beside the manifest")]
    [DataRow("[{", "{", "is no weights manifest of TensorFlow.js")]
    public void DamagedManifest_IsRefused(string from, string to, string message)
    {
        using var folder = new TemporaryFolder();
        var path = DlibFaceSample.Write(folder, out _, json => json.Contains(from, StringComparison.Ordinal) ? json.Replace(from, to, StringComparison.Ordinal) : throw new AssertFailedException($"{from} is not in it."));
        var e = Assert.Throws<FormatException>(() => Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path)));
        StringAssert.Contains(e.Message, message);
        StringAssert.Contains(e.Message, "manifest.json");
    }

    [TestMethod]
    public void ShortFile_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var path = DlibFaceSample.Write(folder, out _, cut: 1);
        StringAssert.Contains(Assert.Throws<FormatException>(() => Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path))).Message, "bytes, but model_1.bin, model_2.bin has");
    }

    [TestMethod]
    public void MissingLayer_IsNamed()
    {
        using var folder = new TemporaryFolder();
        var path = DlibFaceSample.Write(folder, out _, json => json.Replace("conv128_2/conv1/", "conv128_9/conv1/", StringComparison.Ordinal));
        var e = Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path)));
        StringAssert.Contains(e.Message, "Trunk.WeightsPath");
        StringAssert.Contains(e.Message, "The nearest is dlib's face network; layers missing in the file: features.conv128_2.conv1");
    }

    [TestMethod]
    public void WeightThatIsNoNumber_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var path = DlibFaceSample.Write(folder, out _, json => json.Replace("\"dtype\":\"uint16\",\"scale\":", "\"dtype\":\"uint16\",\"scale\":1e300,\"was\":", StringComparison.Ordinal));
        var e = Assert.Throws<FormatException>(() => Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path)).Fit(DlibFaceSample.View(Ml)));
        StringAssert.Contains(e.Message, "'features.conv32_2.conv2.weight' contains a number that is NaN, infinite");
    }

    [TestMethod]
    public void OtherFiles_AreRefused()
    {
        using var folder = new TemporaryFolder();
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(folder.File("no.json")))).Message, "Trunk.WeightsPath is '");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(" "))).Message, "Trunk.WeightsPath is empty");
        var other = Features.FeatureSample.WriteWeights(folder, Images.KnownNetworks.Create("small squeezenet"));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(other))).Message, "has the weights of SqueezeNet 1.0");
    }
}
