using MLExtensions.Tests.Contract;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

/// <summary>What happens to images before the first layer, and to outputs of mirrored images.</summary>
[TestClass]
public sealed class ImageInputTests
{
    [TestMethod]
    public void Crop_TakesTheMiddle()
    {
        using var scope = NewDisposeScope();
        var input = new ImageInput(new ImageShape(1, 4, 5)) { CropSize = 2 };
        var rows = arange(20, ScalarType.Float32).view(1, 20);
        CollectionAssert.AreEqual(new float[] { 6, 7, 11, 12 }, ImageSample.Floats(input.Prepare(input.ToImages(rows))));
        Assert.AreEqual(LayerShape.OfImage(1, 2, 2), input.NetworkShape);
        var cropped = input.Prepare(input.ToImages(rows));
        CollectionAssert.AreEqual(ImageSample.Floats(cropped), ImageSample.Floats(input.Prepare(cropped)), "an image that has the size already");
    }

    [TestMethod]
    public void Layouts_OrderTheValues()
    {
        using var scope = NewDisposeScope();
        var rows = arange(12, ScalarType.Float32).view(1, 12);
        var planar = new ImageInput(new ImageShape(3, 2, 2)).ToImages(rows);
        CollectionAssert.AreEqual(new float[] { 4, 5, 6, 7 }, ImageSample.Floats(planar[0, 1]));
        var interleaved = new ImageInput(new ImageShape(3, 2, 2) { Layout = PixelLayout.Interleaved }).ToImages(rows);
        CollectionAssert.AreEqual(new float[] { 1, 4, 7, 10 }, ImageSample.Floats(interleaved[0, 1]));
    }

    [TestMethod]
    public void PerImageStandardization_ByHand()
    {
        using var scope = NewDisposeScope();
        var images = tensor(new float[] { 1, 2, 3, 4, 7, 7, 7, 7, 0, 0, 0, 0.1f }).view(3, 1, 2, 2);
        var deviation = Math.Sqrt(1.25);
        // The last image's deviation is .043, less than 1 / sqrt(4).
        double[] expected = [-1.5 / deviation, -0.5 / deviation, 0.5 / deviation, 1.5 / deviation, 0, 0, 0, 0, -0.05, -0.05, -0.05, 0.15];
        Outcome.AssertClose(expected.Select(x => (float)x).ToArray(), ImageSample.Floats(PixelScaling.PerImageStandardization.Apply(images)), 1e-6);
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4 }, ImageSample.Floats(images[0]), "the data stays");
    }

    [TestMethod]
    public void FactorMeanAndDeviation_ByHand()
    {
        using var scope = NewDisposeScope();
        var images = tensor(new float[] { 10, 20, 30, 40 }).view(1, 2, 1, 2);
        var scaling = new PixelScaling { Factor = 0.5, Mean = [1, 2], StandardDeviation = [2, 4] };
        Outcome.AssertClose([2, 4.5f, 3.25f, 4.5f], ImageSample.Floats(scaling.Apply(images)), 1e-6);
        Outcome.AssertClose([-5, 0, 5, 10], ImageSample.Floats(new PixelScaling { Mean = [20], StandardDeviation = [2] }.Apply(images)), 1e-6);
        Outcome.AssertClose([2, 4, 6, 8], ImageSample.Floats(new PixelScaling { Factor = 0.2 }.Apply(images)), 1e-6);
        Assert.AreSame(images, PixelScaling.None.Apply(images));
        var white = full(new long[] { 1, 3, 1, 1 }, 255, ScalarType.Float32);
        Outcome.AssertClose([(1 - 0.485f) / 0.229f, (1 - 0.456f) / 0.224f, (1 - 0.406f) / 0.225f], ImageSample.Floats(PixelScaling.ImageNet.Apply(white)), 1e-6);
    }

    [TestMethod]
    public void BadScaling_IsRefusedByName()
    {
        AssertRefused(new PixelScaling { Factor = double.NaN }, "factor is NaN");
        AssertRefused(new PixelScaling { Mean = [1, 2] }, "mean has 2 numbers; it must have 1 or 3, the channels of the images");
        AssertRefused(new PixelScaling { Mean = [1, double.PositiveInfinity, 2] }, "mean contains Infinity");
        AssertRefused(new PixelScaling { StandardDeviation = [1, -1, 1] }, "standardDeviation contains -1");

        static void AssertRefused(PixelScaling scaling, string message)
        {
            var options = ImageSample.Options(new DenseLayer());
            options.PixelScaling = scaling;
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => ImageSample.Fit(options, ImageSample.View(new ImageShape(3, 5, 6), 4))).Message);
        }
    }

    [TestMethod]
    public void InterleavedColumn_TrainsAndScoresAsPlanar()
    {
        var rows = ImageSample.Rows(3 * 6 * 7, 40);
        var planar = ImageSample.View(rows, 3, 6, 7);
        var interleaved = ImageSample.View(rows.Select(row => new ImageRow { Label = row.Label, Features = new(126, Interleave(row.Features.DenseValues().ToArray(), 3)) }), 6, 7, 3);
        foreach (var scaling in new[] { PixelScaling.ToUnit, PixelScaling.ImageNet, PixelScaling.PerImageStandardization })
        {
            using var first = Fit(planar);
            using var second = Fit(interleaved);
            Assert.AreEqual(PixelLayout.Interleaved, ((ImageArchitecture)second.Model.Architecture).Image.Shape.Layout);
            Outcome.AssertClose(Outcome.Weights(first), Outcome.Weights(second), 1e-5);
            Outcome.AssertClose(Outcome.Scores(first.Transform(planar)), Outcome.Scores(second.Transform(interleaved)), 1e-5);

            MulticlassNetworkTransformer Fit(Microsoft.ML.IDataView data)
            {
                var options = ImageSample.Options(new ConvolutionLayer(4, 3), new ActivationLayer(), new DenseLayer());
                (options.PixelScaling, options.Epochs, options.CropSize, options.Augmentations) = (scaling, 3, 5, [ImageAugmentation.Flip()]);
                return ImageSample.Fit(options, data);
            }
        }
    }

    [TestMethod]
    public void TestTimeFlip_IsTheMeanOfBothOutputs()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var input = new ImageInput(new ImageShape(2, 4, 5)) { Scaling = new PixelScaling { Factor = 0.5 } };
        ImageLayer[] layers = [new ConvolutionLayer(3, 2), new ActivationLayer(), new DenseLayer()];
        using var once = ImageSample.Randomized(ImageSample.Architecture(input, 3, layers).CreateModule());
        using var both = ImageSample.Randomized(ImageSample.Architecture(input with { TestTimeFlip = true }, 3, layers).CreateModule());
        var images = ImageSample.Random(6, 2, 4, 5);
        var mirrored = images.flip(3);
        once.eval();
        both.eval();
        var mean = (once.call(images.view(6, 40)) + once.call(mirrored.reshape(6, 40))) / 2;
        Outcome.AssertSameComputation(ImageSample.Floats(mean), ImageSample.Floats(both.call(images.view(6, 40))));
        Assert.IsGreaterThan(0.1f, (mean - once.call(images)).abs().max().item<float>());
        once.train();
        both.train();
        Outcome.AssertSameBits(ImageSample.Floats(once.call(images)), ImageSample.Floats(both.call(images)));
    }

    /// <summary>A mirrored image scores as the image.</summary>
    [TestMethod]
    public void TestTimeFlip_OptionMakesScoresSymmetric()
    {
        var shape = new ImageShape(3, 5, 6);
        var rows = ImageSample.Rows(shape.Count, 20);
        var options = ImageSample.Options(new ConvolutionLayer(4, 3), new ActivationLayer(), new DenseLayer());
        options.TestTimeFlip = true;
        using var model = ImageSample.Fit(options, ImageSample.View(rows, 3, 5, 6));
        var mirrored = rows.Select(row => new ImageRow { Label = row.Label, Features = new(90, row.Features.DenseValues().Chunk(6).SelectMany(line => line.Reverse()).ToArray()) });
        Outcome.AssertSameComputation(Outcome.Scores(model.Transform(ImageSample.View(rows, 3, 5, 6))), Outcome.Scores(model.Transform(ImageSample.View(mirrored, 3, 5, 6))));
    }

    private static float[] Interleave(float[] planar, int channels)
    {
        var pixels = planar.Length / channels;
        return Enumerable.Range(0, planar.Length).Select(i => planar[(i % channels * pixels) + (i / channels)]).ToArray();
    }
}
