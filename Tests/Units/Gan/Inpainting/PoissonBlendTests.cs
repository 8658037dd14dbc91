using MLExtensions.Families.Gan;

namespace MLExtensions.Tests.Gan;

/// <summary>Poisson blending and harmonic fill against functions that solve the equation exactly, and another method.</summary>
[TestClass]
public sealed class PoissonBlendTests
{
    private const int Side = 12;

    /// <summary>The discrete Laplacian of these is 0 everywhere, so the border determines them.</summary>
    [TestMethod]
    [DataRow("plane")]
    [DataRow("saddle")]
    [DataRow("product")]
    public void HarmonicFunctions_AreRestored(string kind)
    {
        var image = Image((y, x) => kind switch { "plane" => (0.5 * x) - (0.25 * y) + 3, "saddle" => (x * x) - (y * y), _ => x * y });
        var filled = new float[image.Length];
        new PoissonBlend(InpaintingMask.Center(Side, Side, side: 8)).FillHarmonically(Holed(image, InpaintingMask.Center(Side, Side, side: 8)), filled);
        for (var i = 0; i < image.Length; i++)
            Assert.AreEqual(image[i], filled[i], 1e-5f, $"{i}");
    }

    /// <summary>Only the gradients of the fill count: the image itself, lighter by a constant or by a plane, gives the image back, wherever the hole is.</summary>
    [TestMethod]
    public void Fill_BringsItsGradientsOnly()
    {
        var random = new Random(1);
        var image = Image((_, _) => random.NextSingle());
        foreach (var mask in new[] { InpaintingMask.Center(Side, Side), InpaintingMask.RightHalf(Side, Side), InpaintingMask.Random(Side, Side, 0.8, seed: 3) })
            AssertRestored(image, image.Select(value => value + 5).ToArray(), mask);
        AssertRestored(image, image.Select((value, i) => value + (0.1f * (i % Side)) - (0.2f * (i / Side))).ToArray(), InpaintingMask.Center(Side, Side, side: 6));
    }

    [TestMethod]
    public void KnownPixels_AreKeptBitForBit()
    {
        var random = new Random(2);
        var (image, fill) = (Image((_, _) => random.NextDouble() / 3), Image((_, _) => random.NextDouble()));
        image[0] = -0f;
        image[1] = float.Epsilon;
        var mask = InpaintingMask.Center(Side, Side);
        var (blended, filled) = (new float[image.Length], new float[image.Length]);
        var blend = new PoissonBlend(mask);
        blend.Blend(Holed(image, mask), fill, blended);
        blend.FillHarmonically(Holed(image, mask), filled);
        for (var i = 0; i < image.Length; i++)
        {
            if (mask.IsMissing[i])
                Assert.IsTrue(float.IsFinite(blended[i]) && float.IsFinite(filled[i]));
            else
                Assert.AreEqual((BitConverter.SingleToInt32Bits(image[i]), BitConverter.SingleToInt32Bits(image[i])), (BitConverter.SingleToInt32Bits(blended[i]), BitConverter.SingleToInt32Bits(filled[i])));
        }
    }

    /// <summary>Each missing pixel replaced again and again by what its neighbors and the fill's gradients say: the same solution, found in another way.</summary>
    [TestMethod]
    public void Solution_IsThatOfRelaxation()
    {
        var random = new Random(4);
        var (image, fill) = (Image((_, _) => random.NextDouble()), Image((_, _) => random.NextDouble()));
        var mask = InpaintingMask.Random(Side, Side, 0.8, seed: 5);
        var blended = new float[image.Length];
        new PoissonBlend(mask).Blend(Holed(image, mask), fill, blended);
        var relaxed = image.Select((value, i) => mask.IsMissing[i] ? 0.0 : value).ToArray();
        for (var round = 0; round < 5000; round++)
        {
            for (var i = 0; i < relaxed.Length; i++)
            {
                if (mask.IsMissing[i])
                    relaxed[i] = Around(i).Average(other => relaxed[other] + fill[i] - fill[other]);
            }
        }
        for (var i = 0; i < relaxed.Length; i++)
            Assert.AreEqual(relaxed[i], blended[i], 1e-6, $"{i}");
    }

    /// <summary>Channels have nothing to do with one another.</summary>
    [TestMethod]
    public void Channels_AreFilledEachForItself()
    {
        var random = new Random(6);
        float[][] images = [Image((_, _) => random.NextDouble()), Image((_, _) => 100 * random.NextDouble()), Image((_, _) => 0)];
        float[][] fills = [Image((_, _) => random.NextDouble()), Image((_, _) => random.NextDouble()), Image((y, x) => y + x)];
        var blend = new PoissonBlend(InpaintingMask.Center(Side, Side));
        var together = new float[3 * Side * Side];
        blend.Blend([.. images[0], .. images[1], .. images[2]], [.. fills[0], .. fills[1], .. fills[2]], together);
        for (var channel = 0; channel < 3; channel++)
        {
            var alone = new float[Side * Side];
            blend.Blend(images[channel], fills[channel], alone);
            CollectionAssert.AreEqual(alone, together[(channel * Side * Side)..((channel + 1) * Side * Side)]);
        }
    }

    [TestMethod]
    public void NothingKnown_LeavesTheFill()
    {
        var fill = Image((y, x) => y - x);
        var blend = new PoissonBlend(InpaintingMask.Random(Side, Side, 1, 1));
        var result = new float[fill.Length];
        blend.Blend(new float[fill.Length], fill, result);
        CollectionAssert.AreEqual(fill, result);
        Assert.Contains("no known pixel", Assert.Throws<ArgumentException>(() => blend.FillHarmonically(fill, result)).Message);
    }

    [TestMethod]
    public void OtherSizes_AreRefused()
    {
        var blend = new PoissonBlend(InpaintingMask.Center(Side, Side));
        Assert.Contains("The fill has 1 values and the image 144", Assert.Throws<ArgumentException>(() => blend.Blend(new float[144], new float[1], new float[144])).Message);
        Assert.Contains("The image has 100 values and the result 100; both must have 144 per channel (12 x 12 pixels)", Assert.Throws<ArgumentException>(() => blend.FillHarmonically(new float[100], new float[100])).Message);
    }

    private static void AssertRestored(float[] image, float[] fill, InpaintingMask mask)
    {
        var result = new float[image.Length];
        new PoissonBlend(mask).Blend(Holed(image, mask), fill, result);
        for (var i = 0; i < image.Length; i++)
            Assert.AreEqual(image[i], result[i], 1e-5f, $"{i}");
    }

    private static float[] Image(Func<int, int, double> value) => Enumerable.Range(0, Side * Side).Select(i => (float)value(i / Side, i % Side)).ToArray();

    /// <summary>What must not be read is not a number.</summary>
    private static float[] Holed(float[] image, InpaintingMask mask) => image.Select((value, i) => mask.IsMissing[i] ? float.NaN : value).ToArray();

    private static IEnumerable<int> Around(int i) => new[] { (i / Side, (i % Side) - 1), (i / Side, (i % Side) + 1), ((i / Side) - 1, i % Side), ((i / Side) + 1, i % Side) }
        .Where(place => place.Item1 is >= 0 and < Side && place.Item2 is >= 0 and < Side).Select(place => (place.Item1 * Side) + place.Item2);
}
