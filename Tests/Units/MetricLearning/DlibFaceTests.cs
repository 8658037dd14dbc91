using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>dlib's face network: its weights are read, computed with, and trained further.</summary>
[TestClass]
public sealed class DlibFaceTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>The convolutions, factors and sums one after the other, as they are in the file.</summary>
    [TestMethod]
    public void Embedding_IsThatOfTheWeightsInTheFile()
    {
        using var folder = new TemporaryFolder();
        var data = DlibFaceSample.View(Ml);
        var path = DlibFaceSample.Write(folder, out var sample);
        using var model = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path)).Fit(data);
        var found = model.Transform(data).GetColumn<float[]>("Embedding").ToArray();
        var pixels = data.GetColumn<float[]>("Pixels").ToArray();
        for (var row = 0; row < 2; row++)
        {
            var expected = Compute(sample, pixels[row]);
            var length = Math.Sqrt(expected.Sum(x => (double)x * x));
            for (var i = 0; i < expected.Length; i++)
                Assert.AreEqual(expected[i] / length, found[row][i], 1e-5, $"row {row}, value {i}");
        }
        Assert.AreNotEqual(found[0][0], found[1][0], 1e-4);
        Assert.AreEqual(PixelScalingOfDlib, ((ImageArchitecture)model.Model.Architecture).Image.Scaling);
    }

    /// <summary>Without labels, and without reading a row.</summary>
    [TestMethod]
    public void Pretrained_IsTheSameWithoutTraining()
    {
        using var folder = new TemporaryFolder();
        var path = DlibFaceSample.Write(folder, out _);
        var data = DlibFaceSample.View(Ml, 4);
        using var trained = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path)).Fit(data);
        var estimator = Ml.MetricLearning.Pretrained(ImageTrunk.DlibFace(path), "Pixels");
        using var model = estimator.Fit(Ml.Transforms.DropColumns("Label").Fit(data).Transform(data));
        Assert.AreEqual(trained.Fingerprint, model.Fingerprint);
        Assert.AreEqual(trained.Model.Architecture, model.Model.Architecture);
        Assert.AreEqual("Embedding", estimator.GetOutputSchema(SchemaShape.Create(data.Schema)).Last().Name);
        Assert.IsTrue(Ml.MetricLearning.Evaluate(model.Transform(data)).AreaUnderRocCurve is >= 0 and <= 1);
        using var other = Ml.MetricLearning.Pretrained(new PretrainedEmbeddingEstimator.Options { Trunk = ImageTrunk.DlibFace(path), FeatureColumnName = "Pixels", PixelScaling = PixelScaling.None }).Fit(data);
        Assert.AreEqual(PixelScaling.None, ((ImageArchitecture)other.Model.Architecture).Image.Scaling);
    }

    [TestMethod]
    public void PretrainedWithoutWeights_IsRefused()
    {
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Pretrained(ImageTrunk.ResNet())).Message, "Trunk has no trained weights; ImageTrunk.DlibFace has");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.Pretrained(new PretrainedEmbeddingEstimator.Options())).Message, "Trunk");
        using var folder = new TemporaryFolder();
        var path = DlibFaceSample.Write(folder, out _);
        var data = DlibFaceSample.View(Ml, 1);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.Pretrained(ImageTrunk.DlibFace(path)).Fit(data)).Message, "'Features'");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.Pretrained(ImageTrunk.DlibFace(path), "Label").GetOutputSchema(SchemaShape.Create(data.Schema))).Message, "must be an image");
    }

    [TestMethod]
    public void Features_AreTheOutputsBeforeTheyAreScaled()
    {
        using var folder = new TemporaryFolder();
        var data = DlibFaceSample.View(Ml, 1);
        var path = DlibFaceSample.Write(folder, out var sample);
        using var features = Ml.Transforms.ImageFeatures("Raw", "Pixels", path).Fit(data);
        var found = features.Transform(data).GetColumn<float[]>("Raw").Single();
        var expected = Compute(sample, data.GetColumn<float[]>("Pixels").Single());
        var size = expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], 1e-5 * size, $"value {i}");
    }

    [TestMethod]
    public void Training_GoesOn_AndFrozenLayersStay()
    {
        using var folder = new TemporaryFolder();
        var data = DlibFaceSample.View(Ml);
        var path = DlibFaceSample.Write(folder, out _);
        using var start = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path)).Fit(data);
        using var last = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path, o => (o.Epochs, o.FrozenLayers) = (1, ["features"]))).Fit(data);
        using var all = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path, o => o.Epochs = 1)).Fit(data);
        const string First = "features.conv32_down.weight";
        CollectionAssert.AreEqual(start.Model.GetWeights(First), last.Model.GetWeights(First));
        CollectionAssert.AreNotEqual(start.Model.GetWeights("fc.weight"), last.Model.GetWeights("fc.weight"));
        CollectionAssert.AreNotEqual(start.Model.GetWeights(First), all.Model.GetWeights(First));
        Assert.HasCount(start.Model.WeightShapes.Count, start.History.InitialWeights!.Loaded);
    }

    /// <summary>A trained model, or another file, replaces the weights; other embeddings have a new last layer.</summary>
    [TestMethod]
    public void OtherStarts_ReplaceTheWeights()
    {
        using var folder = new TemporaryFolder();
        var data = DlibFaceSample.View(Ml);
        var path = DlibFaceSample.Write(folder, out _);
        using var trained = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path, o => o.Epochs = 1)).Fit(data);
        using var again = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path, o => o.InitialModel = trained)).Fit(data);
        Assert.AreEqual(trained.Fingerprint, again.Fingerprint);
        trained.Model.SaveWeights(folder.File("trained.safetensors"));
        using var read = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(folder.File("trained.safetensors"))).Fit(data);
        Assert.AreEqual(trained.Fingerprint, read.Fingerprint);
        using var larger = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path, o => (o.EmbeddingSize, o.Epochs) = (4, 1))).Fit(data);
        Assert.AreEqual(4, larger.EmbeddingSize);
        CollectionAssert.AreEqual(new[] { "fc.weight" }, larger.History.InitialWeights!.OtherShape.Select(text => text.Split(' ')[0]).ToArray());
    }

    [TestMethod]
    public void SavedModel_ComputesTheSame()
    {
        using var folder = new TemporaryFolder();
        var data = DlibFaceSample.View(Ml, 4);
        using var model = Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(DlibFaceSample.Write(folder, out _))).Fit(data);
        Ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        using var loaded = (EmbeddingTransformer)new MLContext().Model.Load(folder.File("model.zip"), out _);
        Assert.AreEqual(model.Model.Architecture, loaded.Model.Architecture);
        Assert.AreEqual(model.Fingerprint, loaded.Fingerprint);
        Outcome.AssertSameBits(model.Transform(data).GetColumn<float[]>("Embedding").SelectMany(row => row).ToArray(), loaded.Transform(data).GetColumn<float[]>("Embedding").SelectMany(row => row).ToArray());
    }

    [TestMethod]
    public void WrongImages_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var path = DlibFaceSample.Write(folder, out _);
        var e = Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Trainers.Image(DlibFaceSample.Options(path, o => o.CropSize = 96)).Fit(DlibFaceSample.View(Ml)));
        StringAssert.Contains(e.Message, "3 x 150 x 150; these are 3 x 96 x 96");
    }

    /// <summary>dlib's own weights, on people that no network here was trained on.</summary>
    [TestMethod]
    public void WeightsOfDlib_TellFacesApart()
    {
        var path = DataFolder.PathOf("pretrained/face_recognition/face_recognition_model-weights_manifest.json");
        var faces = OrlFaces.Read(Ml, 23, 30);
        using var model = Ml.MetricLearning.Pretrained(ImageTrunk.DlibFace(path), "Pixels").Fit(faces);
        Assert.AreEqual(5_607_488L, model.Model.Architecture.ParameterCount, "the file's 5,614,592 values but what became part of others");
        var embedded = model.Transform(faces);
        var metrics = Ml.MetricLearning.Evaluate(embedded);
        var pairs = Ml.MetricLearning.EvaluatePairs(Ml.MetricLearning.CreatePairs(embedded));
        Assert.AreEqual(0.9587, metrics.AreaUnderRocCurve, 0.001);
        Assert.AreEqual(0.975, metrics.PrecisionAt1, 1e-6);
        Assert.AreEqual(0.661, pairs.ValidationRates[1].Rate, 0.006, "at a false-accept rate of .01, of 360 pairs");
        Assert.AreEqual(0.0668, metrics.MeanSameDistance, 0.0005);
    }

    private static PixelScaling PixelScalingOfDlib => new() { Factor = 1 / 256.0, Mean = [122.782 / 256, 117.001 / 256, 104.298 / 256] };

    private static float[] Compute(DlibFaceSample sample, float[] pixels)
    {
        using var scope = NewDisposeScope();
        var x = (tensor(pixels).view(1, 3, DlibFaceSample.Side, DlibFaceSample.Side) - tensor(new[] { 122.782f, 117.001f, 104.298f }).view(1, 3, 1, 1)) / 256;
        x = F.max_pool2d(F.relu(Convolve(x, "conv32_down", 7, 2, 0)), 3, 2);
        foreach (var block in DlibFaceSample.Blocks)
        {
            var smaller = block.Contains("down", StringComparison.Ordinal);
            var y = F.relu(Convolve(x, block + "/conv1", 3, smaller ? 2 : 1, smaller ? 0 : 1));
            y = Convolve(y, block + "/conv2", 3, 1, 1);
            if (!smaller)
            {
                x = F.relu(x + y);
                continue;
            }
            x = F.avg_pool2d(x, 2);
            // The sum has the larger of both sizes.
            var sum = zeros(1, Math.Max(x.shape[1], y.shape[1]), Math.Max(x.shape[2], y.shape[2]), Math.Max(x.shape[3], y.shape[3]));
            foreach (var part in new[] { x, y })
                sum.narrow(1, 0, part.shape[1]).narrow(2, 0, part.shape[2]).narrow(3, 0, part.shape[3]).add_(part);
            x = F.relu(sum);
        }
        return x.mean([2, 3]).mm(tensor(sample.Values["fc"]).view(-1, DlibFaceSample.EmbeddingSize)).data<float>().ToArray();

        Tensor Convolve(Tensor input, string name, int side, int stride, int padding)
        {
            var filters = tensor(sample.Values[name + "/conv/filters"]).view(side, side, input.shape[1], -1).permute(3, 2, 0, 1).contiguous();
            var output = F.conv2d(input, filters, tensor(sample.Values[name + "/conv/bias"]), [stride, stride], [padding, padding]);
            return (output * tensor(sample.Values[name + "/scale/weights"]).view(1, -1, 1, 1)) + tensor(sample.Values[name + "/scale/biases"]).view(1, -1, 1, 1);
        }
    }
}
