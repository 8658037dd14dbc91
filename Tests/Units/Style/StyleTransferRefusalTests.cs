using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Style;

/// <summary>Pictures, columns and options that style transfer cannot use are refused by name.</summary>
[TestClass]
public sealed class StyleTransferRefusalTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void SmallPicture_RefusedByName()
    {
        using var sample = new StyleSample();
        using var dot = TestImages.Solid(2, 40, 1, 2, 3);
        var e = Assert.ThrowsExactly<FormatException>(() => StyleSample.Paint(_ml, sample.Options(), dot));
        StringAssert.Contains(e.Message, "Image column 'Image', row 0 (the first row is 0): the picture has 40 x 2 pixels");
        var small = Assert.ThrowsExactly<ArgumentException>(() => StyleSample.Paint(_ml, sample.Options(o => o.StyleImages = [dot]), StyleSample.Scene()));
        StringAssert.Contains(small.Message, "StyleImages[0] has 40 x 2 pixels");
    }

    [TestMethod]
    public void MissingPicture_RefusedByName()
    {
        using var sample = new StyleSample();
        var e = Assert.ThrowsExactly<FormatException>(() => StyleSample.Paint(_ml, sample.Options(), [null]));
        StringAssert.Contains(e.Message, "Image column 'Image', row 0");
    }

    [TestMethod]
    public void HugePicture_RefusedBeforehand()
    {
        using var sample = new StyleSample();
        var data = StyleSample.View(_ml, StyleSample.Scene());
        using var transformer = _ml.Transforms.StyleTransfer(sample.Options()).Fit(data);
        MLExtensions.Tensors.MachineMemory.Assumed = 100_000;
        try
        {
            var e = Assert.ThrowsExactly<InsufficientMemoryException>(() => StyleSample.Read(transformer.Transform(data), "Styled"));
            StringAssert.Contains(e.Message, "24 x 32 pixels");
        }
        finally
        {
            MLExtensions.Tensors.MachineMemory.Assumed = null;
        }
    }

    [TestMethod]
    public void HugeStylePicture_RefusedByOption_BeforeItIsMadeLarger()
    {
        using var sample = new StyleSample();
        void Refused(string text, Action<StyleTransferEstimator.Options> change) => StringAssert.Contains(
            Assert.ThrowsExactly<InsufficientMemoryException>(() => _ml.Transforms.StyleTransfer(sample.Options(change)).Fit(StyleSample.View(_ml, StyleSample.Scene()))).Message, text);
        Refused("StyleImages[0] has 280000 x 400000 pixels (height x width) with StyleScale = 100, and their style needs about", o => (o.StyleScale, o.StyleImages) = (100, [TestImages.Solid(4000, 2800, 1, 2, 3)]));
        MLExtensions.Tensors.MachineMemory.Assumed = 100_000;
        try
        {
            Refused("StyleImages[0] has 28 x 40 pixels (height x width), and their style needs about 16.", _ => { });
        }
        finally
        {
            MLExtensions.Tensors.MachineMemory.Assumed = null;
        }
    }

    [TestMethod]
    public void DisposedPictures_RefusedByOptionOrRow()
    {
        using var sample = new StyleSample();
        MLImage Disposed()
        {
            var image = StyleSample.Scene();
            image.Dispose();
            return image;
        }
        var style = Assert.ThrowsExactly<ArgumentException>(() => StyleSample.Paint(_ml, sample.Options(o => o.StyleImages = [StyleSample.Stripes(), Disposed()]), StyleSample.Scene()));
        StringAssert.Contains(style.Message, "StyleImages[1] is disposed");
        Assert.AreEqual("StyleImages", style.ParamName);
        var content = Assert.ThrowsExactly<FormatException>(() => StyleSample.Paint(_ml, sample.Options(o => o.Iterations = 1), StyleSample.Scene(), Disposed()));
        StringAssert.Contains(content.Message, "Image column 'Image', row 1 (the first row is 0): the image is disposed");
    }

    [TestMethod]
    public void TruncatedStylePicture_RefusedByName()
    {
        using var sample = new StyleSample();
        using var folder = new TemporaryFolder();
        var path = folder.File("style.jpg");
        TestImages.Create(64, 64, (y, x) => ((byte)(4 * x), (byte)(4 * y), (byte)(x ^ y))).Save(path);
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length * 2 / 3)]);
        var e = Assert.ThrowsExactly<ArgumentException>(() => StyleSample.Paint(_ml, sample.Options(o => (o.StylePaths, o.StyleImages) = ([path], [])), StyleSample.Scene()));
        StringAssert.Contains(e.Message, $"StylePaths contains '{path}': the image of 64 x 64 pixels is truncated");
        Assert.AreEqual("StylePaths", e.ParamName);
    }

    [TestMethod]
    public void ColumnsThatHideOneAnother_RefusedByOption()
    {
        using var sample = new StyleSample();
        using var fast = new FastStyleSample();
        static void Refused(string text, string option, Action create)
        {
            var e = Assert.ThrowsExactly<ArgumentException>(create);
            StringAssert.Contains(e.Message, text);
            Assert.AreEqual(option, e.ParamName);
        }
        foreach (var other in new[] { "InputColumnName", "OutputColumnName" })
        {
            var name = other == "InputColumnName" ? "Image" : "Styled";
            Refused($"LossColumnName and {other} are both '{name}'; they must differ", "LossColumnName", () => _ml.Transforms.StyleTransfer(sample.Options(o => o.LossColumnName = name)));
            Refused($"StyleColumnName and {other} are both '{name}'; they must differ", "StyleColumnName", () => _ml.Transforms.FastStyleTransfer(fast.Options(o => o.StyleColumnName = name)));
            Refused($"StrengthColumnName and {other} are both '{name}'; they must differ", "StrengthColumnName", () => _ml.Transforms.AdaptiveStyleTransfer(Adaptive(o => o.StrengthColumnName = name)));
        }
        Refused("StyleColumnName and OutputColumnName are both 'Styled'", "StyleColumnName", () => _ml.Transforms.AdaptiveStyleTransfer(Adaptive(o => o.StyleColumnName = "Styled")));
        Refused("LossColumnName and MaskColumnName are both 'Mask'", "LossColumnName", () => _ml.Transforms.StyleTransfer(sample.Options(o => (o.LossColumnName, o.MaskColumnName) = ("Mask", "Mask"))));
        Refused("ErrorColumnName and InputColumnName are both 'Features'", "ErrorColumnName", () => _ml.Transforms.Autoencoder(new AutoencoderEstimator.Options { OutputColumnName = "Code", ErrorColumnName = "Features" }));
        Refused("FreeEnergyColumnName and InputColumnName are both 'Features'", "FreeEnergyColumnName", () => _ml.Transforms.Rbm(new RbmEstimator.Options { OutputColumnName = "Code", FreeEnergyColumnName = "Features" }));

        AdaptiveStyleTransferEstimator.Options Adaptive(Action<AdaptiveStyleTransferEstimator.Options> change)
        {
            var options = new AdaptiveStyleTransferEstimator.Options { WeightsPath = sample.WeightsPath, Architecture = StyleSample.Network, EncoderLayer = "relu2_2", StyleLayers = ["relu1_1"] };
            change(options);
            return options;
        }
    }

    [TestMethod]
    public void MissingLayer_NearestNameOffered()
    {
        using var sample = new StyleSample();
        var e = Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.StyleTransfer(sample.Options(o => o.StyleLayers = ["relu2_3"])));
        StringAssert.Contains(e.Message, "StyleLayers contains 'relu2_3'");
        StringAssert.Contains(e.Message, "Did you mean 'relu2_1'?");
        StringAssert.Contains(e.Message, "features.6 (relu2_2)");
    }

    [TestMethod]
    public void BadOptions_RefusedByName()
    {
        using var sample = new StyleSample();
        void Refused(string text, Action<StyleTransferEstimator.Options> change)
        {
            var e = Assert.Throws<Exception>(() => _ml.Transforms.StyleTransfer(sample.Options(change)));
            Assert.IsTrue(e is ArgumentException or FileNotFoundException, e.GetType().Name);
            StringAssert.Contains(e.Message, text);
        }
        Refused("StylePaths and StyleImages are empty", o => o.StyleImages = []);
        Refused("StyleBlendWeights is [1, 2]", o => o.StyleBlendWeights = [1, 2]);
        Refused("their sum must be finite", o => (o.StyleImages, o.StyleBlendWeights) = ([StyleSample.Stripes(), StyleSample.Scene()], [1e308, 1e308]));
        Refused("StyleWeight is -1", o => o.StyleWeight = -1);
        Refused("TotalVariationWeight is NaN", o => o.TotalVariationWeight = double.NaN);
        Refused("StyleLayerWeights is [1]", o => o.StyleLayerWeights = [1]);
        Refused("StyleLayers names layer 'features.1' twice", o => o.StyleLayers = ["relu1_1", "features.1"]);
        Refused("Iterations is 0", o => o.Iterations = 0);
        Refused("StartColumnName is null", o => o.Start = StyleTransferStart.Column);
        Refused("It must be a safetensors file with the weights of an image network", o => o.WeightsPath = "nowhere.safetensors");
        Refused("HistorySize is 0", o => o.Optimizer = new LbfgsOptimizer { HistorySize = 0 });
        Refused("StyleScale is 0", o => o.StyleScale = 0);
        Refused("LossColumnName and OutputColumnName are both 'Styled'", o => o.LossColumnName = "Styled");
        Refused("OutputColumnName is empty", o => o.OutputColumnName = " ");
    }

    [TestMethod]
    public void StylePath_NoPicture_RefusedByName()
    {
        using var sample = new StyleSample();
        using var folder = new TemporaryFolder();
        var text = folder.Write("notes.jpg", "no picture"u8.ToArray());
        var data = StyleSample.View(_ml, StyleSample.Scene());
        var e = Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.StyleTransfer(sample.Options(o => o.StylePaths = [text])).Fit(data));
        StringAssert.Contains(e.Message, "notes.jpg");
    }
}
