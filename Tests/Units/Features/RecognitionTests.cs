using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Features;

/// <summary>A file of weights tells which network it is of; a wrong file or layer is refused with what would be right.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class RecognitionTests
{
    [TestMethod]
    [DataRow("squeezenet1_0", "features", 48, 512)]
    [DataRow("squeezenet1_0", "classifier.1", 48, 1000)]
    [DataRow("small squeezenet", "features.3", 32, 128)]
    [DataRow("googlenet", "inception3a", 64, 256)]
    [DataRow("resnet18", "layer2", 64, 128)]
    [DataRow("resnet18", "layer3.0", 64, 256)]
    [DataRow("resnet50", "layer1", 64, 256)]
    [DataRow("resnet20", "avgpool", 32, 64)]
    [DataRow("resnet20", null, 32, 10)]
    public void KnownNetworks_AreRecognized(string name, string? layer, int side, int size)
    {
        using var folder = new TemporaryFolder();
        var path = FeatureSample.WriteWeights(folder, Images.KnownNetworks.Create(name));
        var ml = new MLContext(1);
        var data = FeatureSample.View(ml, FeatureSample.Create(2, side), side);
        using var transformer = ml.Transforms.ImageFeatures("Features", "Image", path, layer).Fit(data);
        Assert.AreEqual(size, transformer.Model.Architecture.OutputCount);
        var features = FeatureSample.Read(transformer.Transform(data));
        Assert.HasCount(size, features[0]);
        Assert.IsTrue(features.All(row => row.All(float.IsFinite)));
    }

    [TestMethod]
    public void TheNumberOfClassesIsTheFiles_AndWhatLiesBehindTheLayerIsNotKept()
    {
        using var folder = new TemporaryFolder();
        var path = FeatureSample.WriteWeights(folder, Images.KnownNetworks.Cnn(CnnLayers.SqueezeNet(), outputs: 7));
        var ml = new MLContext(1);
        var data = FeatureSample.View(ml, FeatureSample.Create(1, 48), 48);
        using var whole = ml.Transforms.ImageFeatures("Features", "Image", path).Fit(data);
        Assert.AreEqual(7, whole.Model.Architecture.OutputCount);
        using var features = ml.Transforms.ImageFeatures("Features", "Image", path, "features.3").Fit(data);
        CollectionAssert.AreEquivalent(
            new[] { "features.0", "features.3.squeeze", "features.3.expand1x1", "features.3.expand3x3" },
            features.Model.WeightShapes.Keys.Select(key => key[..key.LastIndexOf('.')]).Distinct().ToArray());
        Assert.AreEqual(PixelScaling.ImageNet, ((ImageArchitecture)features.Model.Architecture).Image.Scaling);
    }

    /// <summary>torchvision's file has the classifiers of the training, and its input is scaled otherwise.</summary>
    [TestMethod]
    public void GoogLeNet_WithAuxiliaryClassifiers()
    {
        using var folder = new TemporaryFolder();
        var path = FeatureSample.WriteWeights(folder, Images.KnownNetworks.Create("googlenet"), tensors => tensors.Add("aux1.fc1.weight", zeros(3, 2)));
        var ml = new MLContext(1);
        using var transformer = ml.Transforms.ImageFeatures("Features", "Image", path, "conv3").Fit(FeatureSample.View(ml, [], 64));
        var scaling = ((ImageArchitecture)transformer.Model.Architecture).Image.Scaling;
        Assert.AreEqual(0.5, scaling.Mean!.Single());
        Assert.AreEqual(0.5, scaling.StandardDeviation!.Single());
    }

    [TestMethod]
    public void AnotherNetwork_IsRefusedWithTheNearest()
    {
        using var folder = new TemporaryFolder();
        var path = FeatureSample.WriteWeights(folder, Images.KnownNetworks.Create("resnet18"), tensors =>
        {
            tensors.Remove("layer2.0.conv1.weight");
            tensors.Add("extra.weight", zeros(2));
            tensors["bn1.bias"] = zeros(3);
        });
        var message = Refused(o => o.WeightsPath = path);
        Assert.Contains("The nearest is ResNet-18", message);
        Assert.Contains("missing in the file: layer2.0.conv1;", message);
        Assert.Contains("unexpected: extra;", message);
        Assert.Contains("of another size: bn1.", message);
    }

    [TestMethod]
    public void BadLayers_AreRefusedWithTheNames()
    {
        using var folder = new TemporaryFolder();
        var path = FeatureSample.WriteWeights(folder, FeatureSample.Tiny());
        var message = Refused(o => (o.WeightsPath, o.Architecture, o.Layer) = (path, FeatureSample.Tiny(), "feature"));
        Assert.Contains("Layer is 'feature'", message);
        Assert.Contains("Did you mean 'features'?", message);
        Assert.Contains("features.0, features.1, features.2, features.3, features, classifier.0", message);
        Refused(o => (o.WeightsPath, o.Architecture, o.Layer) = (path, FeatureSample.Tiny(), "features.4"));
    }

    [TestMethod]
    public void BadFilesAndColumns_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var path = FeatureSample.WriteWeights(folder, FeatureSample.Tiny());
        Assert.Throws<FileNotFoundException>(() => ml.Transforms.ImageFeatures("Features", "Image", folder.File("none.safetensors")));
        Assert.Throws<ModelFormatException>(() => ml.Transforms.ImageFeatures("Features", "Image", folder.Write("text.safetensors", [1, 2, 3])));
        Refused(o => o.WeightsPath = "");
        Refused(o => (o.WeightsPath, o.CropSize) = (path, 0));
        ImageFeaturesEstimator Tiny(string input) => ml.Transforms.ImageFeatures(new() { InputColumnName = input, WeightsPath = path, Architecture = FeatureSample.Tiny() });
        var data = FeatureSample.View(ml, FeatureSample.Create(1));
        Assert.Contains("Column 'Picture' is not in the data", Assert.Throws<ArgumentException>(() => Tiny("Picture").Fit(data)).Message);
        Assert.Contains("Column 'Picture' is not in the data", Assert.Throws<ArgumentException>(() => Tiny("Picture").GetOutputSchema(SchemaShape.Create(data.Schema))).Message);
        Assert.Contains("Label", Assert.Throws<ArgumentException>(() => Tiny("Label").Fit(data)).Message);
        Assert.Contains("Label", Assert.Throws<ArgumentException>(() => Tiny("Label").GetOutputSchema(SchemaShape.Create(data.Schema))).Message);
        var other = FeatureSample.View(ml, FeatureSample.Create(1, 8), 8);
        Assert.Contains("192", Assert.Throws<ArgumentException>(() => Tiny("Image").Fit(other)).Message);
        using var transformer = Tiny("Image").Fit(data);
        Assert.Contains("192", Assert.Throws<ArgumentException>(() => transformer.Transform(other)).Message);
    }

    [TestMethod]
    public void ImagesTooSmall_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var path = FeatureSample.WriteWeights(folder, Images.KnownNetworks.Create("squeezenet1_0"));
        var ml = new MLContext(1);
        var message = Assert.Throws<ArgumentException>(() => ml.Transforms.ImageFeatures("Features", "Image", path, "features").Fit(FeatureSample.View(ml, [], 6))).Message;
        Assert.Contains("column 'Image'", message);
        Assert.Contains("features.0", message);
    }

    [TestMethod]
    public void MissingOrWeightsThatAreNoNumbers_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var data = FeatureSample.View(ml, FeatureSample.Create(1));
        ImageFeaturesTransformer Fit(Action<Dictionary<string, Tensor>> change, string layer) => ml.Transforms.ImageFeatures(new()
        {
            WeightsPath = FeatureSample.WriteWeights(folder, FeatureSample.Tiny(), change),
            Architecture = FeatureSample.Tiny(),
            Layer = layer,
        }).Fit(data);
        Assert.Contains("missing: features.0.bias", Assert.Throws<ArgumentException>(() => Fit(tensors => tensors.Remove("features.0.bias"), "features")).Message);
        Assert.Contains("features.0.bias", Assert.Throws<ModelFormatException>(() => Fit(tensors => tensors["features.0.bias"] = full(8, float.NaN), "features")).Message);
        Fit(tensors => tensors.Remove("classifier.1.bias"), "features").Dispose();
    }

    private static string Refused(Action<ImageFeaturesEstimator.Options> change)
    {
        var options = new ImageFeaturesEstimator.Options();
        change(options);
        var ml = new MLContext(1);
        return Assert.Throws<ArgumentException>(() => ml.Transforms.ImageFeatures(options)).Message;
    }
}
