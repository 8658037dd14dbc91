using TorchSharp;
using static MLExtensions.Tests.Images.AugmentationSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

[TestClass]
public class ImageAugmenterTests
{
    private static readonly ImageAugmentation[] everything =
    [
        ImageAugmentation.Crop(2, 10, 9),
        ImageAugmentation.Flip(),
        ImageAugmentation.Rotation(),
        ImageAugmentation.Elastic(),
        ImageAugmentation.Affine(maximumShear: 5),
        ImageAugmentation.Brightness(),
        ImageAugmentation.Contrast(),
        ImageAugmentation.Saturation(),
        ImageAugmentation.Cutout(4),
        ImageAugmentation.Mixup(),
    ];

    private static long Live => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    private static IEnumerable<ImageAugmentation[]> Lists => [.. everything.Select(augmentation => new[] { augmentation }), everything];

    [TestMethod]
    public void SameSeedSameBits()
    {
        using var scope = NewDisposeScope();
        var images = RandomPixels(8, 3, 12, 11);
        foreach (var list in Lists)
        {
            var first = Values(Apply(images, 1, list).Images);
            CollectionAssert.AreEqual(first, Values(Apply(images, 1, list).Images), $"{list[0]}");
            CollectionAssert.AreNotEqual(first, Values(Apply(images, 2, list).Images), $"{list[0]}");
        }
    }

    [TestMethod]
    public void SecondBatchIsChangedOtherwise()
    {
        using var scope = NewDisposeScope();
        var images = RandomPixels(8, 3, 12, 11);
        var augmenter = Augmenter(images, everything);
        var random = new SplitMix64(1);
        var first = Values(augmenter.Apply(images, ref random).Images);
        CollectionAssert.AreNotEqual(first, Values(augmenter.Apply(images, ref random).Images));
    }

    [TestMethod]
    public void InputStaysAndNeedNotBeContiguous()
    {
        using var scope = NewDisposeScope();
        var interleaved = RandomPixels(8, 12, 11, 3);
        var images = interleaved.permute(0, 3, 1, 2);
        var before = Values(images);
        foreach (var list in Lists)
        {
            var changed = Apply(images, 1, list).Images;
            CollectionAssert.AreEqual(before, Values(images), $"{list[0]}");
            AssertNear(Apply(images.contiguous(), 1, list).Images, changed, 1e-2);
        }
    }

    [TestMethod]
    public void OnlyTheResultIsLeft()
    {
        using var images = RandomPixels(8, 3, 12, 11);
        foreach (var list in Lists)
        {
            var augmenter = Augmenter(images, list);
            var random = new SplitMix64(1);
            var before = Live;
            var (changed, partner, _) = augmenter.Apply(images, ref random);
            Assert.AreEqual(partner is null ? 1 : 2, Live - before, $"{list[0]}");
            changed.Dispose();
            partner?.Dispose();
            using (NewDisposeScope())
                augmenter.Apply(images, ref random);
            Assert.AreEqual(0, Live - before, $"{list[0]}");
        }
    }

    [TestMethod]
    public void EmptyListGivesTheInput()
    {
        using var scope = NewDisposeScope();
        var images = RandomPixels(2, 1, 3, 3);
        var batch = Apply(images, 1);
        Assert.AreSame(images, batch.Images);
        Assert.IsNull(batch.Partner);
        Assert.IsFalse(images.IsInvalid);
    }

    [TestMethod]
    public void OutputSizeFollowsTheCrops()
    {
        using var scope = NewDisposeScope();
        var images = RandomPixels(2, 3, 32, 30);
        foreach (var list in new IReadOnlyList<ImageAugmentation>[]
                 {
                     everything,
                     ImageAugmentation.DistortedInputs(),
                     [ImageAugmentation.Crop(4, 40, null), ImageAugmentation.Brightness(), ImageAugmentation.Crop(0, null, 7)],
                 })
        {
            var (height, width) = Augmenter(images, list).OutputSize(32, 30);
            CollectionAssert.AreEqual(new[] { 2L, 3, height, width }, Apply(images, 1, list).Images.shape);
        }
        Assert.AreEqual((24, 24), Augmenter(images, ImageAugmentation.DistortedInputs()).OutputSize(32, 30));
    }

    [TestMethod]
    public void NeighborsShareAnInterpolation()
    {
        using var scope = NewDisposeScope();
        var images = RandomPixels(4, 1, 16, 16);
        ImageAugmentation[] still = [ImageAugmentation.Rotation(0), ImageAugmentation.Affine(1.6, 1.6, 0), ImageAugmentation.Affine(0.625, 0.625, 0)];
        AssertNear(images, Apply(images, 1, still).Images, 0.01);
        ImageAugmentation[] apart = [still[1], ImageAugmentation.Brightness(0), still[2]];
        Assert.IsGreaterThan(10, (images - Apply(images, 1, apart).Images).abs().max().item<float>(), "twice interpolated");
    }
}
