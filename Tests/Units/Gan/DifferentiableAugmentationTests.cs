using MLExtensions.Families.Gan;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Gan;

/// <summary>Differentiable changes of images do what their names say, each image in its own way, and gradients flow through them.</summary>
[TestClass]
public sealed class DifferentiableAugmentationTests
{
    private const int Images = 200;
    private const int Height = 16;
    private const int Width = 8;
    private const int Plane = Height * Width;

    private DisposeScope _scope = null!;

    [TestInitialize]
    public void Open() => _scope = NewDisposeScope();

    [TestCleanup]
    public void Close() => _scope.Dispose();

    [TestMethod]
    [DataRow(DifferentiableAugmentation.None, 1)]
    [DataRow(DifferentiableAugmentation.Color, 1)]
    [DataRow(DifferentiableAugmentation.Color, 3)]
    [DataRow(DifferentiableAugmentation.Translation, 3)]
    [DataRow(DifferentiableAugmentation.Cutout, 3)]
    [DataRow(DifferentiableAugmentation.All, 1)]
    [DataRow(DifferentiableAugmentation.All, 3)]
    public void EveryKind_KeepsTheShape_SameSeedSameChanges_OtherSeedOthers(DifferentiableAugmentation kinds, int channels)
    {
        using var random = new Generator(5, CPU);
        var samples = rand([Images, channels * Plane], generator: random);
        var changed = Apply(kinds, samples, channels);
        CollectionAssert.AreEqual(samples.shape, changed.shape);
        Assert.AreEqual(ScalarType.Float32, changed.dtype);
        Assert.IsTrue(AreEqual(changed, Apply(kinds, samples, channels)));
        Assert.AreEqual(kinds == DifferentiableAugmentation.None, AreEqual(changed, samples));
        Assert.AreEqual(kinds == DifferentiableAugmentation.None, AreEqual(changed, Apply(kinds, samples, channels, seed: 2)));
    }

    /// <summary>
    /// Of an image of one channel, brightness adds a number in [-0.5, 0.5) to all, and contrast multiplies distances from the mean by one in
    /// [0.5, 1.5). A quarter of the pixels is 1, the rest 0.
    /// </summary>
    [TestMethod]
    public void Color_OfOneChannel_BrightnessAndContrast()
    {
        var image = new float[Plane];
        image.AsSpan(0, Plane / 4).Fill(1);
        var (brightness, contrast) = (new List<double>(), new List<double>());
        foreach (var changed in Change(DifferentiableAugmentation.Color, image, 1))
        {
            var (high, low) = (changed[0], changed[^1]);
            for (var pixel = 0; pixel < Plane; pixel++)
                Assert.AreEqual(image[pixel] == 1 ? high : low, changed[pixel], 1e-6f);
            contrast.Add(high - low);
            brightness.Add((high / 4) + (low * 3 / 4) - 0.25);
        }
        AssertFills(-0.5, 0.5, brightness);
        AssertFills(0.5, 1.5, contrast);
    }

    /// <summary>Saturation multiplies distances from gray, the mean of the channels, by a number in [0, 2); contrast by another one.</summary>
    [TestMethod]
    public void Color_OfThreeChannels_SaturationToo()
    {
        // Gray is 0 in the upper half and 0.5 in the lower one; red is 0.2 above it, blue 0.2 below.
        var image = new float[3 * Plane];
        for (var pixel = 0; pixel < Plane; pixel++)
        {
            var gray = pixel < Plane / 2 ? 0 : 0.5f;
            (image[pixel], image[Plane + pixel], image[(2 * Plane) + pixel]) = (gray + 0.2f, gray, gray - 0.2f);
        }
        var (saturation, contrast, brightness) = (new List<double>(), new List<double>(), new List<double>());
        foreach (var changed in Change(DifferentiableAugmentation.Color, image, 3))
        {
            var (upper, lower) = (changed[Plane], changed[(2 * Plane) - 1]);
            contrast.Add((lower - upper) / 0.5);
            brightness.Add(((upper + lower) / 2) - 0.25);
            var color = changed[0] - upper;
            saturation.Add(color / 0.2 / contrast[^1]);
            for (var pixel = 0; pixel < Plane; pixel++)
            {
                var gray = pixel < Plane / 2 ? upper : lower;
                Assert.AreEqual(gray + color, changed[pixel], 2e-6f);
                Assert.AreEqual(gray, changed[Plane + pixel], 2e-6f);
                Assert.AreEqual(gray - color, changed[(2 * Plane) + pixel], 2e-6f);
            }
        }
        AssertFills(-0.5, 0.5, brightness);
        AssertFills(0, 2, saturation);
        AssertFills(0.5, 1.5, contrast);
    }

    /// <summary>An eighth of 16 rows and 8 columns: up to 2 rows and 1 column in each direction, all channels alike.</summary>
    [TestMethod]
    public void Translation_ShiftsByUpToAnEighth_ZerosComeIn()
    {
        var image = Enumerable.Range(1, 3 * Plane).Select(value => (float)value).ToArray();
        var shifts = new HashSet<(int Rows, int Columns)>();
        foreach (var changed in Change(DifferentiableAugmentation.Translation, image, 3))
        {
            // The pixel in the middle never leaves: its number says where it comes from.
            var middle = (int)changed[(Height / 2 * Width) + (Width / 2)] - 1;
            var shift = (Rows: (middle / Width) - (Height / 2), Columns: (middle % Width) - (Width / 2));
            shifts.Add(shift);
            for (var place = 0; place < image.Length; place++)
            {
                var (row, column) = ((place % Plane / Width) + shift.Rows, (place % Width) + shift.Columns);
                var expected = row is >= 0 and < Height && column is >= 0 and < Width ? image[(place / Plane * Plane) + (row * Width) + column] : 0;
                Assert.AreEqual(expected, changed[place]);
            }
        }
        CollectionAssert.AreEquivalent((from rows in Enumerable.Range(-2, 5) from columns in Enumerable.Range(-1, 3) select (rows, columns)).ToArray(), shifts.ToArray());
    }

    /// <summary>Half of 16 rows and 8 columns; near the border a part of it is outside, but never more than half of each side.</summary>
    [TestMethod]
    public void Cutout_ZeroesARectangleOfHalfTheSides_TheRestStays()
    {
        var image = Enumerable.Range(1, 3 * Plane).Select(value => (float)value).ToArray();
        var sizes = new HashSet<(int, int)>();
        foreach (var changed in Change(DifferentiableAugmentation.Cutout, image, 3))
        {
            var holes = Enumerable.Range(0, Plane).Where(pixel => changed[pixel] == 0).ToArray();
            var (rows, columns) = (holes.Select(pixel => pixel / Width).Distinct().ToArray(), holes.Select(pixel => pixel % Width).Distinct().ToArray());
            Assert.HasCount(rows.Length * columns.Length, holes);
            Assert.AreEqual(rows.Length - 1, rows.Max() - rows.Min());
            Assert.AreEqual(columns.Length - 1, columns.Max() - columns.Min());
            sizes.Add((rows.Length, columns.Length));
            for (var place = 0; place < image.Length; place++)
                Assert.AreEqual(holes.Contains(place % Plane) ? 0 : image[place], changed[place]);
        }
        Assert.IsTrue(sizes.All(size => size is { Item1: >= 4 and <= 8, Item2: >= 2 and <= 4 }));
        foreach (var size in new[] { (8, 4), (8, 2), (4, 4) })
            Assert.Contains(size, sizes);
    }

    /// <summary>Color changes keep the sum but for what brightness adds: each pixel counts with 1. What was shifted out or cut counts with 0.</summary>
    [TestMethod]
    [DataRow(DifferentiableAugmentation.Color)]
    [DataRow(DifferentiableAugmentation.Translation)]
    [DataRow(DifferentiableAugmentation.Cutout)]
    public void GradientOfTheSum_IsOneForEachPixelThatIsLeft(DifferentiableAugmentation kind)
    {
        var samples = arange(1, (3 * Plane) + 1, dtype: ScalarType.Float32).repeat(Images, 1).requires_grad_(true);
        var changed = Apply(kind, samples, 3);
        changed.sum().backward();
        var gradient = samples.grad!;
        if (kind == DifferentiableAugmentation.Color)
        {
            Assert.IsLessThan(1e-5f, gradient.sub(1).abs().max().item<float>());
            return;
        }
        Assert.IsTrue(gradient.eq(0).logical_or(gradient.eq(1)).all().item<bool>());
        for (var image = 0; image < 20; image++)
        {
            var left = changed[image].data<float>().ToArray().Where(value => value != 0).Select(value => (int)value).Order().ToArray();
            var counted = gradient[image].data<float>().ToArray().Index().Where(entry => entry.Item == 1).Select(entry => entry.Index + 1).ToArray();
            CollectionAssert.AreEqual(left, counted);
        }
    }

    /// <summary>The distances of brightness and so on from the ends of their range: 200 draws come near to both.</summary>
    private static void AssertFills(double minimum, double maximum, List<double> values)
    {
        var near = (maximum - minimum) / 10;
        Assert.IsTrue(values.Min() > minimum - 1e-4 && values.Min() < minimum + near, $"the smallest, {values.Min()}, is not near {minimum}");
        Assert.IsTrue(values.Max() < maximum + 1e-4 && values.Max() > maximum - near, $"the largest, {values.Max()}, is not near {maximum}");
        Assert.AreEqual((minimum + maximum) / 2, values.Average(), 5 * (maximum - minimum) / Math.Sqrt(12 * Images));
    }

    private static bool AreEqual(Tensor a, Tensor b) => a.eq(b).all().item<bool>();

    private static float[][] Change(DifferentiableAugmentation kinds, float[] image, int channels) =>
        Apply(kinds, tensor(image).repeat(Images, 1), channels).contiguous().data<float>().ToArray().Chunk(image.Length).ToArray();

    private static Tensor Apply(DifferentiableAugmentation kinds, Tensor samples, int channels, ulong seed = 1)
    {
        using var random = new Generator(seed, CPU);
        return Augmenter.Apply(kinds, samples, new ImageShape(channels, Height, Width), random);
    }
}
