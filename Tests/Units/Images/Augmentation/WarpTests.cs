using MLExtensions.Families.Images;
using TorchSharp;
using static MLExtensions.Tests.Images.AugmentationSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

[TestClass]
[TestCategory("Heart")]
public class WarpTests
{
    private static readonly AffineStep quarterTurn = new() { MinimumDegrees = 90, MaximumDegrees = 90 };

    private DisposeScope _scope = null!;

    [TestInitialize]
    public void OpenScope() => _scope = NewDisposeScope();

    [TestCleanup]
    public void CloseScope() => _scope.Dispose();

    [TestMethod]
    public void QuarterTurnIsClockwise()
    {
        var random = new SplitMix64(1);
        var image = tensor(new float[] { 1, 2, 3, 4 }).view(1, 1, 2, 2);
        AssertNear(tensor(new float[] { 3, 1, 4, 2 }).view(1, 1, 2, 2), Warp(image, ref random, quarterTurn), 1e-4);
        var images = RandomPixels(3, 2, 7, 7);
        AssertNear(images.rot90(-1, (2, 3)), Warp(images, ref random, quarterTurn), 1e-3);
    }

    [TestMethod]
    public void TurnedOblongImageKeepsItsPixelsSquare()
    {
        var random = new SplitMix64(1);
        var images = RandomPixels(2, 1, 5, 9);
        var turned = Warp(images, ref random, quarterTurn);
        AssertNear(images[.., .., .., 2..7].rot90(-1, (2, 3)), turned[.., .., .., 2..7], 1e-3);
        Assert.AreEqual(0, turned[.., .., .., ..2].abs().max().item<float>(), "there was no image");
    }

    [TestMethod]
    public void RotationStaysWithinItsAngle()
    {
        var images = ColumnNumbers(2000, 9, 9) - 4;
        var turned = Apply(images, 1, ImageAugmentation.Rotation(30)).Images;
        // At one pixel below the center the column of origin is the sine of the angle.
        var degrees = Values(turned[.., 0, 5, 4]).Select(sine => double.RadiansToDegrees(Math.Asin(sine))).ToArray();
        Assert.IsTrue(degrees.All(angle => Math.Abs(angle) < 30.01));
        Assert.AreEqual(0, degrees.Average(), 1.5);
        Assert.AreEqual(30 / Math.Sqrt(3), Math.Sqrt(degrees.Average(angle => angle * angle)), 0.5, "the spread of a uniform angle");
    }

    [TestMethod]
    public void ScaleIsAboutTheCenter()
    {
        var images = ColumnNumbers(2, 11, 11) - 5;
        AssertNear(images / 2, Apply(images, 1, ImageAugmentation.Affine(2, 2, 0)).Images, 1e-4);
        AssertNear((images * 2)[.., .., 3..8, 3..8], Apply(images, 1, ImageAugmentation.Affine(0.5, 0.5, 0)).Images[.., .., 3..8, 3..8], 1e-4);
    }

    [TestMethod]
    public void ShiftIsAFractionOfTheSize()
    {
        var columns = Values(Apply(ColumnNumbers(2000, 20, 40), 1, ImageAugmentation.Affine(1, 1, 0.25)).Images[.., 0, 10, 20]);
        var rows = Values(Apply(RowNumbers(2000, 20, 40), 1, ImageAugmentation.Affine(1, 1, 0.25)).Images[.., 0, 10, 20]);
        AssertUniform(columns, 10, 30);
        AssertUniform(rows, 5, 15);
    }

    [TestMethod]
    public void ShearSlantsVerticalLines()
    {
        var shear = ImageAugmentation.Affine(1, 1, 0, 30);
        var columns = Apply(ColumnNumbers(500, 9, 21), 1, shear).Images[.., 0];
        var slants = Values(columns[.., 7, 10] - columns[.., 4, 10]);
        Assert.AreEqual(3 * Math.Tan(Math.PI / 6), slants.Max(), 0.05);
        Assert.AreEqual(-3 * Math.Tan(Math.PI / 6), slants.Min(), 0.05);
        AssertNear(columns[.., 7, 10] - columns[.., 4, 10], columns[.., 5, 12] - columns[.., 2, 12], 1e-4);
        AssertNear(RowNumbers(500, 9, 21)[.., .., .., 6..15], Apply(RowNumbers(500, 9, 21), 1, shear).Images[.., .., .., 6..15], 1e-4);
    }

    [TestMethod]
    public void ElasticWithoutAmplitudeIsTheIdentity()
    {
        var images = RandomPixels(4, 3, 12, 10);
        AssertNear(images, Apply(images, 1, ImageAugmentation.Elastic(alpha: 0)).Images, 1e-2);
        AssertNear(images, Apply(images, 1, ImageAugmentation.Elastic() with { Probability = 0 }).Images, 1e-2);
        AssertNear(images, Apply(images, 1, ImageAugmentation.Rotation() with { Probability = 0 }).Images, 1e-2);
    }

    [TestMethod]
    [DataRow(20, 4)]
    [DataRow(5, 2)]
    public void ElasticMovesAsFarAsDocumented(double alpha, double sigma)
    {
        var elastic = ImageAugmentation.Elastic(alpha, sigma);
        foreach (var images in new[] { ColumnNumbers(100, 40, 64), RowNumbers(100, 64, 40) })
        {
            var moved = (Apply(images, 1, elastic).Images - images)[.., .., 8..^8, 8..^8];
            var expected = 0.163 * alpha / sigma;
            Assert.AreEqual(expected, Root(moved), 0.05 * expected);
            Assert.AreEqual(0, moved.mean().item<float>(), 0.1 * expected);
            var change = moved[.., .., 1.., ..] - moved[.., .., ..^1, ..];
            Assert.AreEqual(expected * Math.Sqrt(2 - 2 * Math.Exp(-1 / (4 * sigma * sigma))), Root(change), 0.05 * expected, "neighbors move alike");
        }
    }

    [TestMethod]
    public void FilterLowersNoiseEverywhereAlike()
    {
        const int length = 28;
        var matrix = GaussianFilter.Matrix(length, 4);
        for (var row = 0; row < length; row++)
        {
            var weights = matrix.AsSpan(row * length, length).ToArray();
            Assert.AreEqual(1 / (2 * Math.Sqrt(Math.PI) * 4), weights.Sum(weight => weight * weight), 1e-5, $"row {row}");
            Assert.AreEqual(row, Array.IndexOf(weights, weights.Max()));
        }
        Assert.AreEqual(1, GaussianFilter.Matrix(100, 4).AsSpan(5000, 100).ToArray().Sum(), 1e-5);
    }

    [TestMethod]
    public void StepsInARowGiveWhatTheyGiveInTurn()
    {
        var slant = ImageAugmentation.Affine(0.8, 1.2, 0.1, 30).CreateStep();
        var turn = new AffineStep { MinimumDegrees = 20, MaximumDegrees = 20 };
        var elastic = new ElasticStep(ImageAugmentation.Elastic(34, 5));
        AssertSameInTurn(2, slant, quarterTurn);
        AssertSameInTurn(2, quarterTurn, slant);
        AssertSameInTurn(2, slant, slant);
        AssertSameInTurn(4, slant, elastic);
        AssertSameInTurn(4, elastic, slant);
        AssertSameInTurn(4, elastic, turn);
    }

    private static void AssertSameInTurn(double tolerance, IWarpStep first, IWarpStep second)
    {
        var images = SmoothImages();
        var together = new SplitMix64(3);
        var actual = Warp(images, ref together, first, second);

        // Random numbers are drawn from the last step to the first.
        var forSecond = new SplitMix64(3);
        var forFirst = forSecond;
        Warp(images, ref forFirst, second);
        var halfWay = Warp(images, ref forFirst, first);
        var expected = Warp(halfWay, ref forSecond, second);
        AssertNear(Inner(expected), Inner(actual), tolerance);
        Assert.IsGreaterThan(5 * tolerance, (Inner(halfWay) - Inner(actual)).abs().max().item<float>());
        Assert.IsGreaterThan(5 * tolerance, (Inner(images) - Inner(halfWay)).abs().max().item<float>());
    }

    /// <summary>Waves of 0 to 255 that survive interpolation.</summary>
    private static Tensor SmoothImages()
    {
        var waves = (ColumnNumbers(3, 48, 48) / 7).sin() + (RowNumbers(3, 48, 48) / 9).cos();
        return (waves + 2) * 64;
    }

    private static Tensor Inner(Tensor images) => images[.., .., 14..34, 14..34];

    private static double Root(Tensor values) => Math.Sqrt(values.square().mean().item<float>());

    private static void AssertUniform(float[] values, double minimum, double maximum)
    {
        var slack = (maximum - minimum) / 50;
        Assert.AreEqual(minimum, values.Min(), slack);
        Assert.AreEqual(maximum, values.Max(), slack);
        Assert.AreEqual((minimum + maximum) / 2, values.Average(), slack);
    }
}
