using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Models;

namespace MLExtensions.Tests.Images;

/// <summary>Image networks in a saved model: readable, whole again after loading, refused when damaged.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class ImageModelTests
{
    private const string Architecture = "architecture.json";
    private static readonly ImageShape Shape = new(3, 8, 8);

    private static readonly ImageLayer[] EveryKind =
    [
        new ConvolutionLayer(6, 3) { Name = "stem", Padding = 1, Groups = 3, Bias = false },
        new BatchNormalizationLayer { Momentum = 0.2, Epsilon = 1e-3 },
        new ActivationLayer(Activation.LeakyReLU),
        new LocalResponseNormalizationLayer(3) { Alpha = 0.1, K = 2, Beta = 0.5 },
        new SequenceLayer([new ConvolutionLayer(4, 1), new ActivationLayer(Activation.PReLU)]) { Name = "inner" },
        new ResidualLayer([new ConvolutionLayer(8, 3) { Stride = 2, Padding = 1 }, new BatchNormalizationLayer()])
        {
            Shortcut = new PaddedShortcutLayer(8, 2),
            Activation = Activation.Tanh,
        },
        new ConcatenationLayer([new ConvolutionLayer(4, 1), new MaxPoolingLayer(3) { Stride = 1, Padding = 1, CeilMode = true }]),
        new FireLayer(2, 4, 4),
        new InceptionLayer(2, 2, 3, 2, 3, 2),
        new AveragePoolingLayer(2),
        new AdaptiveAveragePoolingLayer(2, 2),
        new DropoutLayer(0.25),
        new UpsamplingLayer(),
        new TransposedConvolutionLayer(4, 2) { Stride = 2, Bias = false },
        new ConcatenationLayer([new GlobalAveragePoolingLayer(), new GlobalMaxPoolingLayer(), new FlattenLayer()]) { Name = "pool" },
        new MaxoutLayer(6, 2),
        new SpectralNormalizationLayer(new DenseLayer(8)),
        new ReshapeLayer(2, 2, 2),
        new DenseLayer(6) { Bias = false },
        new DenseLayer { Name = "head" },
    ];

    [TestMethod]
    public void EveryLayerKind_ComesBack()
    {
        using var zip = CnnZip();
        var text = System.Text.Encoding.UTF8.GetString(zip.Read(Architecture));
        using var json = JsonDocument.Parse(text);
        var architecture = json.RootElement.GetProperty("architecture");
        Assert.AreEqual("cnn", architecture.GetProperty("$type").GetString());
        Assert.AreEqual(8, architecture.GetProperty("image").GetProperty("shape").GetProperty("height").GetInt32());
        Assert.AreEqual("convolution", architecture.GetProperty("layers")[0].GetProperty("$type").GetString());
        Assert.AreEqual(3, architecture.GetProperty("layers")[0].GetProperty("groups").GetInt32());
        foreach (var kind in typeof(ImageLayer).GetCustomAttributes<JsonDerivedTypeAttribute>())
            Assert.Contains($"\"$type\": \"{kind.TypeDiscriminator}\"", text);
        using var loaded = zip.Load();
        Assert.AreEqual(zip.Model.Model.Architecture, loaded.Model.Architecture);
        Assert.AreEqual(Summary(zip.Model), Summary(loaded));
        Outcome.AssertSameBits(Outcome.Weights(zip.Model), Outcome.Weights(loaded));
        var data = ImageSample.View(Shape, 20, seed: 3);
        Outcome.AssertSameComputation(Outcome.Scores(zip.Model.Transform(data)), Outcome.Scores(loaded.Transform(data)));
    }

    [TestMethod]
    public void ResNet_ComesBack()
    {
        using var zip = ResNetZip();
        using var json = JsonDocument.Parse(zip.Read(Architecture));
        var architecture = json.RootElement.GetProperty("architecture");
        Assert.AreEqual("resnet", architecture.GetProperty("$type").GetString());
        Assert.AreEqual("Cifar", architecture.GetProperty("form").GetString());
        Assert.AreEqual("Projection", architecture.GetProperty("shortcut").GetString());
        Assert.AreEqual(8, architecture.GetProperty("depth").GetInt32());
        Assert.AreEqual("Planar", architecture.GetProperty("image").GetProperty("shape").GetProperty("layout").GetString());
        using var loaded = zip.Load();
        Assert.AreEqual(zip.Model.Model.Architecture, loaded.Model.Architecture);
        Assert.AreEqual(0.5, ((ImageArchitecture)loaded.Model.Architecture).Image.Scaling.Mean![1]);
        var data = ImageSample.View(Shape, 20, seed: 3);
        Outcome.AssertSameComputation(Outcome.Scores(zip.Model.Transform(data)), Outcome.Scores(loaded.Transform(data)));
    }

    [TestMethod]
    [DataRow("\"$type\": \"convolution\"", "\"$type\": \"convulsion\"")]
    [DataRow("\"filters\": 6", "\"filters\": 7")]
    [DataRow("\"filters\": 6", "\"filters\": 2147483646")]
    [DataRow("\"filters\": 6", "\"filters\": -6")]
    [DataRow("\"kernelSize\": 3", "\"kernelSize\": 2147483647")]
    [DataRow("\"kernelSize\": 3", "\"kernelSize\": 0")]
    [DataRow("\"padding\": 1", "\"padding\": 2147483647")]
    [DataRow("\"stride\": 2", "\"stride\": 2147483647")]
    [DataRow("\"groups\": 3", "\"groups\": 4")]
    [DataRow("\"groups\": 3", "\"groups\": 0")]
    [DataRow("\"name\": \"stem\"", "\"name\": \"inner\"")]
    [DataRow("\"name\": \"stem\"", "\"name\": \"a.b\"")]
    [DataRow("\"height\": 8", "\"height\": 9")]
    [DataRow("\"height\": 8", "\"height\": 2147483647")]
    [DataRow("\"channels\": 3", "\"channels\": 0")]
    [DataRow("\"inputCount\": 192", "\"inputCount\": 191")]
    [DataRow("\"outputCount\": 3", "\"outputCount\": 4")]
    [DataRow("\"layout\": \"Planar\"", "\"layout\": \"Sideways\"")]
    [DataRow("\"cropSize\": null", "\"cropSize\": 9")]
    [DataRow("\"cropSize\": null", "\"cropSize\": 0")]
    [DataRow("\"factor\": 0.00392156862745098", "\"factor\": 0")]
    [DataRow("\"mean\": null", "\"mean\": [1, 2]")]
    [DataRow("\"standardDeviation\": null", "\"standardDeviation\": [0]")]
    [DataRow("\"LeakyReLU\"", "\"LeakyRelay\"")]
    [DataRow("\"probability\": 0.25", "\"probability\": 1")]
    [DataRow("\"squeeze\": 2", "\"squeeze\": 0")]
    [DataRow("\"size\": 3", "\"size\": 0")]
    [DataRow("\"layers\": [", "\"layers\": [null, ")]
    [DataRow("\"branches\": [", "\"branches\": [null, ")]
    [DataRow("\"layers\": [", "\"layers\": null, \"other\": [")]
    [DataRow("\"image\": {", "\"image\": null, \"other\": {")]
    [DataRow("\"shape\": {", "\"shape\": null, \"other\": {")]
    [DataRow("\"scaling\": {", "\"scaling\": null, \"other\": {")]
    public void LyingCnn_IsRefused(string from, string to)
    {
        using var zip = CnnZip();
        zip.ForgeText(Architecture, from, to);
        Assert.AreEqual(Architecture, zip.Refusal(to).EntryName);
    }

    [TestMethod]
    [DataRow("\"depth\": 8", "\"depth\": 9")]
    [DataRow("\"depth\": 8", "\"depth\": 2147483642")]
    [DataRow("\"depth\": 8", "\"depth\": -4")]
    [DataRow("\"baseChannels\": 4", "\"baseChannels\": 0")]
    [DataRow("\"baseChannels\": 4", "\"baseChannels\": 2147483647")]
    [DataRow("\"Cifar\"", "\"Cigar\"")]
    [DataRow("\"Cifar\"", "\"ImageNet\"")]
    [DataRow("\"Projection\"", "\"Option\"")]
    public void LyingResNet_IsRefused(string from, string to)
    {
        using var zip = ResNetZip();
        zip.ForgeText(Architecture, from, to);
        Assert.AreEqual(Architecture, zip.Refusal(to).EntryName);
    }

    [TestMethod]
    [DataRow("\"depth\": 8", "\"depth\": 14")]
    [DataRow("\"baseChannels\": 4", "\"baseChannels\": 4096")]
    [DataRow("\"Projection\"", "\"Padding\"")]
    [DataRow("\"shortcuts\": true", "\"shortcuts\": false")]
    public void ResNetOfOtherWeights_IsRefused(string from, string to)
    {
        using var zip = ResNetZip();
        zip.ForgeText(Architecture, from, to);
        Assert.AreEqual("weights.safetensors", zip.Refusal(to).EntryName);
    }

    /// <summary>In 64 bits, 2^22 x 2^21 x 2^21 is 0.</summary>
    [TestMethod]
    public void SizesWhoseProductOverflows_AreRefused()
    {
        Assert.AreEqual(long.MaxValue, new ImageShape(1 << 30, 1 << 30, 1 << 30).Count);
        Assert.Throws<FormatException>(() => new ImageShape(1 << 22, 1 << 21, 1 << 21).Check("shape"));
        Assert.AreEqual(long.MaxValue, LayerShape.OfImage(1 << 22, 1 << 21, 1 << 21).Count);
    }

    private static string Summary(NetworkTransformer model) => ((ImageArchitecture)model.Model.Architecture).Summary();

    private static ModelZip CnnZip() => new(_ => ImageSample.Fit(ImageSample.Options(EveryKind), ImageSample.View(Shape, 8)));

    private static ModelZip ResNetZip() => new(ml => ml.MulticlassClassification.Trainers.ResNet(new ResNetMulticlassTrainer.Options
    {
        Depth = 8,
        BaseChannels = 4,
        Shortcut = ShortcutKind.Projection,
        PixelScaling = new PixelScaling { Factor = 1 / 255.0, Mean = [0.4, 0.5, 0.6], StandardDeviation = [0.2] },
        Epochs = 1,
        Seed = 1,
        ThreadCount = 1,
    }).Fit(ImageSample.View(Shape, 8)));
}
