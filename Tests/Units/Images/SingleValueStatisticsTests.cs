using Microsoft.ML;

namespace MLExtensions.Tests.Images;

/// <summary>Batch normalization of a single value divides by a variance of 0: refused as it is, whichever network it is in.</summary>
[TestClass]
public sealed class SingleValueStatisticsTests
{
    [TestMethod]
    public void ResNetOfSmallImages_BatchOfOneIsRefused()
    {
        var shape = new ImageShape(3, 6, 6);
        MulticlassNetworkTransformer Fit(int batchSize, params string[] frozen) => new MLContext(1).MulticlassClassification.Trainers.ResNet(new ResNetMulticlassTrainer.Options
        {
            Form = ResNetForm.ImageNet,
            Depth = 18,
            BaseChannels = 4,
            ImageShape = shape,
            BatchSize = batchSize,
            Epochs = 1,
            FrozenLayers = frozen,
            Seed = 1,
            ThreadCount = 1,
        }).Fit(ImageSample.View(shape, 5));
        var error = Assert.Throws<ArgumentException>(() => Fit(1));
        Assert.Contains("BatchSize is 1", error.Message);
        Assert.Contains("at least 2", error.Message);
        foreach (var model in new[] { Fit(2), Fit(1, "conv1", "bn1", "layer1", "layer2", "layer3", "layer4") })
            Assert.IsTrue(Contract.Outcome.Scores(model.Transform(ImageSample.View(shape, 4))).All(float.IsFinite));
    }

    [TestMethod]
    public void ConvolutionalNetwork_BatchOfOneIsRefused()
    {
        var shape = new ImageShape(1, 4, 4);
        var options = ImageSample.Options(new ConvolutionLayer(3, 3), new GlobalAveragePoolingLayer(), new BatchNormalizationLayer(), new DenseLayer());
        (options.BatchSize, options.ImageShape) = (1, shape);
        Assert.Contains("BatchSize is 1", Assert.Throws<ArgumentException>(() => ImageSample.Fit(options, ImageSample.View(shape, 5))).Message);
        options.BatchSize = 2;
        ImageSample.Fit(options, ImageSample.View(shape, 5)).Dispose();
        options.BatchSize = 1;
        options.Layers = [new ConvolutionLayer(3, 3), new BatchNormalizationLayer(), new DenseLayer()];
        ImageSample.Fit(options, ImageSample.View(shape, 5)).Dispose();
    }
}
