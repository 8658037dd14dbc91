using MLExtensions.Families.Images;
using static MLExtensions.Tests.Images.AugmentationSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

[TestClass]
[TestCategory("Heart")]
public class MixupTests
{
    [TestMethod]
    public void BlendsWithThePartner()
    {
        using var scope = NewDisposeScope();
        var images = RandomPixels(16, 2, 5, 4);
        for (var seed = 0ul; seed < 10; seed++)
        {
            var (mixed, partner, share) = Apply(images, seed, ImageAugmentation.Mixup(1));
            Assert.AreEqual(ScalarType.Int64, partner!.dtype);
            CollectionAssert.AreEquivalent(Enumerable.Range(0, 16).Select(i => (long)i).ToArray(), partner.data<long>().ToArray());
            Assert.IsInRange(0f, 1f, share!.Value);
            AssertNear((1 - share.Value) * images + share.Value * images[partner], mixed, 1e-3);
        }
    }

    [TestMethod]
    public void ProbabilityIsTheShareOfBatches()
    {
        using var scope = NewDisposeScope();
        var images = RandomPixels(2, 1, 2, 2);
        var augmenter = Augmenter(images, ImageAugmentation.Mixup() with { Probability = 0.4 });
        var random = new SplitMix64(1);
        var mixed = 0;
        for (var i = 0; i < 1000; i++)
        {
            var batch = augmenter.Apply(images, ref random);
            Assert.AreEqual(batch.Partner is null, batch.PartnerShare is null);
            if (batch.Partner is null)
                AssertSame(images, batch.Images);
            else
                mixed++;
        }
        Assert.AreEqual(400, mixed, 60);
    }

    [TestMethod]
    [DataRow(0.001)]
    [DataRow(0.2)]
    [DataRow(1)]
    [DataRow(8)]
    public void SharesAreOfTheBetaDistribution(double alpha)
    {
        var random = new SplitMix64(1);
        var shares = Enumerable.Range(0, 20_000).Select(_ => random.SymmetricBeta(alpha)).ToArray();
        Assert.IsTrue(shares.All(share => share is >= 0 and <= 1));
        Assert.AreEqual(0.5, shares.Average(), 0.015);
        Assert.AreEqual(1 / (4 * (2 * alpha + 1)), shares.Average(share => (share - 0.5) * (share - 0.5)), 0.004);
        var fourth = 3.0 / (16 * (2 * alpha + 1) * (2 * alpha + 3));
        Assert.AreEqual(fourth, shares.Average(share => Math.Pow(share - 0.5, 4)), 0.002);
    }
}
