using MLExtensions.Families.Gan;

namespace MLExtensions.Tests.Gan;

/// <summary>Masks and the weights of the context loss.</summary>
[TestClass]
public sealed class InpaintingMaskTests
{
    [TestMethod]
    public void Center_IsASquareInTheMiddle()
    {
        var mask = InpaintingMask.Center(28, 28);
        Assert.AreEqual((14 * 14, true, false, true, false), (mask.NumberOfMissing, At(mask, 7, 7), At(mask, 6, 7), At(mask, 20, 20), At(mask, 20, 21)));
        Assert.AreEqual("00000/00100/00000", Text(InpaintingMask.Center(3, 5, side: 1)));
    }

    [TestMethod]
    public void RightHalf_KeepsTheLeft() => Assert.AreEqual("00111/00111", Text(InpaintingMask.RightHalf(2, 5)));

    [TestMethod]
    public void Random_HasTheShareAndFollowsTheSeed()
    {
        var mask = InpaintingMask.Random(28, 28, 0.8, seed: 1);
        Assert.AreEqual(627, mask.NumberOfMissing);
        Assert.AreEqual(Text(mask), Text(InpaintingMask.Random(28, 28, 0.8, seed: 1)));
        Assert.AreNotEqual(Text(mask), Text(InpaintingMask.Random(28, 28, 0.8, seed: 2)));
        Assert.AreEqual((0, 6), (InpaintingMask.Random(2, 3, 0, 1).NumberOfMissing, InpaintingMask.Random(2, 3, 1, 1).NumberOfMissing));
        // A corner of 14 x 14 has its share: four standard deviations of what is drawn without replacement.
        Assert.AreEqual(0.8 * 196, Enumerable.Range(0, 784).Count(i => i / 28 < 14 && i % 28 < 14 && mask.IsMissing[i]), 20);
    }

    [TestMethod]
    public void Given_HasOneForKnownPixels() => Assert.AreEqual("01/10", Text(InpaintingMask.Of(2, 2, [1, 0, 0, 1])));

    [TestMethod]
    public void BadMasks_AreRefused()
    {
        Assert.Contains("5 values; the image has 2 x 2 = 4 pixels", Assert.Throws<ArgumentException>(() => InpaintingMask.Of(2, 2, [1, 0, 0, 1, 1])).Message);
        Assert.Contains("value 2 (row 1, column 0 of the image) is 0.5", Assert.Throws<ArgumentException>(() => InpaintingMask.Of(2, 2, [1, 0, 0.5f, 1])).Message);
        Assert.Contains("side is 4 pixels; it must be from 1 to 3", Assert.Throws<ArgumentOutOfRangeException>(() => InpaintingMask.Center(5, 3, side: 4)).Message);
        Assert.Contains("share of missing pixels is 1.5", Assert.Throws<ArgumentOutOfRangeException>(() => InpaintingMask.Random(5, 3, 1.5, 1)).Message);
        Assert.Contains("0 x 3 pixels", Assert.Throws<ArgumentOutOfRangeException>(() => InpaintingMask.RightHalf(0, 3)).Message);
    }

    /// <summary>By hand: one missing pixel is seen from 7 x 7 places around it, once from each.</summary>
    [TestMethod]
    public void Weights_AreTheShareOfMissingPixelsNearby()
    {
        var mask = InpaintingMask.Center(15, 15, side: 1);
        var weights = mask.ContextWeights();
        for (var i = 0; i < weights.Length; i++)
        {
            var isNear = Math.Abs((i / 15) - 7) <= 3 && Math.Abs((i % 15) - 7) <= 3;
            Assert.AreEqual(isNear && !mask.IsMissing[i] ? 1 / 49f : 0, weights[i], 1e-7f, $"{i}");
        }
    }

    /// <summary>
    /// A missing corner is seen twice in each direction from up to two pixels away, itself and its mirror image, and once from the third:
    /// scipy's convolve2d with boundary "symm" gives the same.
    /// </summary>
    [TestMethod]
    public void Weights_MirrorTheBorder()
    {
        var known = Enumerable.Repeat(1f, 100).ToArray();
        known[0] = 0;
        var weights = InpaintingMask.Of(10, 10, known).ContextWeights();
        int Times(int distance) => distance <= 2 ? 2 : distance == 3 ? 1 : 0;
        for (var i = 1; i < weights.Length; i++)
            Assert.AreEqual(Times(i / 10) * Times(i % 10) / 49f, weights[i], 1e-7f, $"{i}");
        Assert.AreEqual(0, weights[0]);
    }

    /// <summary>An image that is smaller than the window is mirrored several times.</summary>
    [TestMethod]
    public void Weights_OfSmallImages() =>
        // From the left pixel of 0 1 with the right one missing: places -3 to 3 are 1 1 0 | 0 1 | 1 0, mirrored again.
        Assert.AreEqual(4 / 7f, InpaintingMask.Of(1, 2, [1, 0]).ContextWeights()[0], 1e-6f);

    private static bool At(InpaintingMask mask, int y, int x) => mask.IsMissing[(y * mask.Width) + x];

    private static string Text(InpaintingMask mask) => string.Join("/", Enumerable.Range(0, mask.Height).Select(y => string.Concat(Enumerable.Range(0, mask.Width).Select(x => At(mask, y, x) ? 1 : 0))));
}
