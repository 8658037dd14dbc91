using MLExtensions.Families.Images;
using TorchSharp;
using static MLExtensions.Tests.Images.AugmentationSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

[TestClass]
[TestCategory("Heart")]
public class CropAndFlipTests
{
    private DisposeScope _scope = null!;

    [TestInitialize]
    public void OpenScope() => _scope = NewDisposeScope();

    [TestCleanup]
    public void CloseScope() => _scope.Dispose();

    [TestMethod]
    public void CropIsASliceOfThePaddedImage()
    {
        var images = RandomPixels(50, 3, 6, 9) + 1;
        var padded = nn.functional.pad(images, [2, 2, 2, 2]);
        var crops = Apply(images, 3, ImageAugmentation.Crop(padding: 2, height: 7, width: 5)).Images;
        CollectionAssert.AreEqual(new long[] { 50, 3, 7, 5 }, crops.shape);
        var places = new HashSet<(long, long)>();
        for (var i = 0; i < 50; i++)
            places.Add(FindSlice(padded[i], crops[i]));
        Assert.IsGreaterThan(20, places.Count, "of 4 * 9 places");
    }

    [TestMethod]
    public void CropAtKnownStarts()
    {
        var map = new AxisMap(4, 5);
        map.Crop([0, 2, -2, 4], 3);
        Assert.AreEqual(3, map.Length);
        CollectionAssert.AreEqual(new[] { 0, 1, 2, 2, 3, 4, -1, -1, 0, 4, -1, -1 }, map.Sources.ToArray());
        map.Reverse(1);
        map.Crop([0, 1, 2, -3], 2);
        CollectionAssert.AreEqual(new[] { 0, 1, 3, 2, 0, -1, -1, -1 }, map.Sources.ToArray());
    }

    [TestMethod]
    public void CropsAreDrawnUniformly()
    {
        var numbers = arange(81, dtype: ScalarType.Float32).view(1, 1, 9, 9).expand(10_000, 1, 9, 9);
        var places = Values(Apply(numbers, 1, ImageAugmentation.Crop(0, 1, 1)).Images);
        Assert.AreEqual(4, places.Average(place => Math.Floor(place / 9)), 0.1);
        Assert.AreEqual(4, places.Average(place => place % 9), 0.1);
        var counts = places.CountBy(place => place).Select(pair => pair.Value).ToArray();
        Assert.HasCount(81, counts);
        Assert.IsTrue(counts.All(count => count is > 123 - 50 and < 123 + 50), string.Join(' ', counts));
    }

    [TestMethod]
    public void ImagesThatAreNotDrawnGiveTheirCenter()
    {
        var images = RandomPixels(4, 2, 8, 10);
        var crops = Apply(images, 1, ImageAugmentation.Crop(1, 4, 4) with { Probability = 0 }).Images;
        AssertSame(images[.., .., 2..6, 3..7], crops);
        AssertSame(images, Apply(images, 1, ImageAugmentation.Crop() with { Probability = 0 }).Images);
    }

    [TestMethod]
    public void FlipMirrors()
    {
        var images = RandomPixels(5, 3, 4, 6);
        AssertSame(images.flip(3), Apply(images, 1, ImageAugmentation.Flip(probability: 1)).Images);
        AssertSame(images.flip(2), Apply(images, 1, ImageAugmentation.Flip(false, true, 1)).Images);
        AssertSame(images.flip(2, 3), Apply(images, 1, ImageAugmentation.Flip(true, true, 1)).Images);
        AssertSame(images, Apply(images, 1, ImageAugmentation.Flip(true, true, 0)).Images);
    }

    [TestMethod]
    public void FlipsOneHalf()
    {
        var images = arange(4, dtype: ScalarType.Float32).view(1, 1, 2, 2).expand(10_000, 1, 2, 2);
        var corners = Values(Apply(images, 5, ImageAugmentation.Flip(true, true)).Images[.., 0, 0, 0]);
        for (var corner = 0; corner < 4; corner++)
            Assert.AreEqual(2500, corners.Count(value => value == corner), 200, $"corner {corner}");
    }

    [TestMethod]
    public void CropsAndFlipsInARowAreAppliedInTheirOrder()
    {
        var images = RandomPixels(6, 1, 8, 8);
        var flipped = Apply(images, 2, ImageAugmentation.Flip(probability: 1), ImageAugmentation.Crop(0, 8, 3)).Images;
        var cropped = Apply(images, 2, ImageAugmentation.Crop(0, 8, 3), ImageAugmentation.Flip(probability: 1)).Images;
        for (var i = 0; i < 6; i++)
        {
            FindSlice(images[i].flip(2), flipped[i]);
            FindSlice(images[i], cropped[i].flip(2));
        }
    }

    private static (long Row, long Column) FindSlice(Tensor image, Tensor part)
    {
        var (height, width) = (part.shape[1], part.shape[2]);
        var found = new List<(long, long)>();
        for (var row = 0L; row <= image.shape[1] - height; row++)
        {
            for (var column = 0L; column <= image.shape[2] - width; column++)
            {
                if ((image.narrow(1, row, height).narrow(2, column, width) - part).abs().max().item<float>() == 0)
                    found.Add((row, column));
            }
        }
        return Assert.ContainsSingle(found);
    }
}
