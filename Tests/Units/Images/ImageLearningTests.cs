using Microsoft.ML;

namespace MLExtensions.Tests.Images;

/// <summary>A pattern anywhere in the image: what convolutions are for.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class ImageLearningTests
{
    private const int Side = 12;
    private const int BarLength = 6;

    [TestMethod]
    [TestCategory("Floor")]
    public void BarsAnywhere_CnnTellsTheirDirection_ALinearModelCannot()
    {
        var ml = new MLContext(1);
        var train = Bars(600, seed: 1);
        var test = Bars(1000, seed: 2);
        var options = ImageSample.Options(
            new ConvolutionLayer(8, 5) { Padding = 2 },
            new ActivationLayer(),
            new GlobalMaxPoolingLayer(),
            new DenseLayer());
        (options.Epochs, options.BatchSize, options.LearningRate, options.PixelScaling) = (12, 32, 0.02, null);
        var network = ImageSample.Fit(options, train);
        Floor.Above(0.97, ml.MulticlassClassification.Evaluate(network.Transform(test)).MicroAccuracy, "convolution");
        var linear = ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(train);
        Floor.Below(0.75, ml.MulticlassClassification.Evaluate(linear.Transform(test)).MicroAccuracy, "linear");
    }

    /// <summary>A horizontal or vertical bar of ones somewhere in noise of deviation .2.</summary>
    private static IDataView Bars(int count, int seed)
    {
        var random = new Random(TestSeed.Of(seed));
        return ImageSample.View(Enumerable.Range(0, count).Select(_ => Bar(random)).ToArray(), Side, Side);
    }

    private static ImageRow Bar(Random random)
    {
        var pixels = Enumerable.Range(0, Side * Side).Select(_ => (float)(0.2 * Normal(random))).ToArray();
        var isVertical = random.Next(2) == 1;
        var (along, across) = (random.Next(Side - BarLength + 1), random.Next(Side));
        for (var i = along; i < along + BarLength; i++)
            pixels[isVertical ? (i * Side) + across : (across * Side) + i] += 1;
        return new ImageRow { Features = new(pixels.Length, pixels), Label = isVertical ? 1u : 0u };
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
