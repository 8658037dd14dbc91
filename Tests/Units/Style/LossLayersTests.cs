using MLExtensions.Families.Style;

namespace MLExtensions.Tests.Style;

/// <summary>Layers have the names of papers beside those of their weights.</summary>
[TestClass]
public sealed class LossLayersTests
{
    [TestMethod]
    [DataRow(false, "relu1_1", "features.1")]
    [DataRow(false, "relu2_1", "features.6")]
    [DataRow(false, "relu3_1", "features.11")]
    [DataRow(false, "relu4_1", "features.20")]
    [DataRow(false, "relu4_2", "features.22")]
    [DataRow(false, "relu5_1", "features.29")]
    [DataRow(false, "conv3_4", "features.16")]
    [DataRow(false, "pool5", "features.36")]
    [DataRow(true, "relu4_1", "features.18")]
    [DataRow(true, "relu4_2", "features.20")]
    [DataRow(true, "relu5_1", "features.25")]
    public void Vgg_NamesOfThePaper(bool sixteen, string alias, string path) =>
        Assert.AreEqual(path, Layers(sixteen ? CnnLayers.Vgg16() : CnnLayers.Vgg19()).Single(layer => layer.Alias == alias).Path);

    [TestMethod]
    public void Vgg_UsualLayers_AreThoseOfGatys()
    {
        var layers = Layers(CnnLayers.Vgg19());
        var usual = LossLayers.UsualOf(layers)!.Value;
        CollectionAssert.AreEqual(new[] { "features.1", "features.6", "features.11", "features.20", "features.29" }, LossLayers.Choose(layers, null, usual.Style, "StyleLayers"));
        CollectionAssert.AreEqual(new[] { "features.22" }, LossLayers.Choose(layers, null, usual.Content, "ContentLayers"));
    }

    [TestMethod]
    public void SqueezeNet_FiresAreCountedFromTwo()
    {
        var layers = Layers(CnnLayers.SqueezeNet());
        var usual = LossLayers.UsualOf(layers)!.Value;
        CollectionAssert.AreEqual(new[] { "features.1", "features.4", "features.5", "features.7" }, LossLayers.Choose(layers, null, usual.Style, "StyleLayers"));
        CollectionAssert.AreEqual(new[] { "features.5" }, LossLayers.Choose(layers, null, usual.Content, "ContentLayers"));
        Assert.AreEqual("features.12", layers.Single(layer => layer.Alias == "fire9").Path);
    }

    private static IReadOnlyList<LossLayer> Layers(IReadOnlyList<ImageLayer> layers) => LossLayers.Of(new CnnArchitecture
    {
        InputCount = 3 * 224 * 224,
        OutputCount = 1000,
        Image = new ImageInput(new ImageShape(3, 224, 224)),
        Layers = layers,
    });
}
