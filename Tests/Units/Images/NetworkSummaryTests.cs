namespace MLExtensions.Tests.Images;

/// <summary>The table of a network's layers.</summary>
[TestClass]
public sealed class NetworkSummaryTests
{
    [TestMethod]
    public void TinyNetwork_ExactText()
    {
        var architecture = ImageSample.Architecture(new ImageInput(new ImageShape(1, 4, 4)), 3, new ConvolutionLayer(2, 3) { Name = "c" }, new ActivationLayer(), new DenseLayer());
        const string Expected = """
            layer  kind             output     parameters  multiply-adds
            c      convolution 3x3  2 x 2 x 2          20             72
            1      ReLU             2 x 2 x 2
            2      dense            3                  27             24
            total                   3                  47             96

            """;
        Assert.AreEqual(Expected.ReplaceLineEndings(), architecture.Summary());
    }

    [TestMethod]
    public void LeNet5_Totals()
    {
        var lines = KnownNetworks.Create("lenet5").Summary().ReplaceLineEndings("\n").TrimEnd().Split('\n');
        Assert.HasCount(13, lines);
        CollectionAssert.AreEqual(new[] { "total", "10", "61,706", "416,520" }, lines[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        CollectionAssert.AreEqual(new[] { "c3", "convolution", "5x5", "16", "x", "10", "x", "10", "2,416", "240,000" }, lines[4].Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Blocks are shown by the layers that they are made of, under the names of their weights.</summary>
    [TestMethod]
    public void ResNet_ShowsTheLayersOfItsBlocks()
    {
        var summary = KnownNetworks.Create("resnet18").Summary();
        Assert.Contains("layer2.0.downsample.0", summary);
        Assert.Contains("layer4.1.bn2", summary);
        Assert.Contains("11,689,512", summary);
    }
}
