using TorchSharp;
using static MLExtensions.Tests.Images.AugmentationSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

[TestClass]
[TestCategory("Heart")]
public class PixelValueTests
{
    private DisposeScope _scope = null!;

    [TestInitialize]
    public void OpenScope() => _scope = NewDisposeScope();

    [TestCleanup]
    public void CloseScope() => _scope.Dispose();

    [TestMethod]
    public void BrightnessAddsOneUniformNumberAnImage()
    {
        var images = RandomPixels(5000, 2, 2, 2);
        var added = Apply(images, 1, ImageAugmentation.Brightness(63)).Images - images;
        var deltas = Values(added[.., 0, 0, 0]);
        AssertNear(added[.., ..1, ..1, ..1].expand_as(added), added, 1e-4);
        Assert.AreEqual(-63, deltas.Min(), 0.2);
        Assert.AreEqual(63, deltas.Max(), 0.2);
        Assert.AreEqual(0, deltas.Average(), 2.5);
    }

    [TestMethod]
    public void ContrastKeepsEachChannelsMean()
    {
        var images = RandomPixels(3000, 3, 4, 4);
        var changed = Apply(images, 1, ImageAugmentation.Contrast(0.2, 1.8)).Images;
        var means = images.mean([2, 3], keepdim: true);
        AssertNear(means, changed.mean([2, 3], keepdim: true), 1e-3);
        var factors = (changed - means).abs().sum([1, 2, 3]) / (images - means).abs().sum([1, 2, 3]);
        AssertFactors(factors, 0.2, 1.8);
        AssertNear(means + (images - means) * factors.view(-1, 1, 1, 1), changed, 1e-2);
    }

    [TestMethod]
    public void SaturationKeepsLuminanceAndGrayImages()
    {
        var images = RandomPixels(3000, 3, 4, 4);
        var saturation = ImageAugmentation.Saturation(0.5, 1.5);
        var changed = Apply(images, 1, saturation).Images;
        AssertNear(Luminance(images), Luminance(changed), 1e-2);
        var color = images - Luminance(images);
        var factors = (changed - Luminance(changed)).abs().sum([1, 2, 3]) / color.abs().sum([1, 2, 3]);
        AssertFactors(factors, 0.5, 1.5);
        var gray = images[.., ..1].expand(-1, 3, -1, -1);
        AssertNear(gray, Apply(gray, 1, saturation).Images, 1e-3);
        AssertNear(Luminance(images).expand(-1, 3, -1, -1), Apply(images, 1, ImageAugmentation.Saturation(0, 0)).Images, 1e-2);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(127.5)]
    public void CutoutCoversOneWholeSquare(double fill)
    {
        var images = RandomPixels(2000, 2, 6, 8) + 300;
        var changed = Apply(images, 1, ImageAugmentation.Cutout(3, fill)).Images;
        var covered = changed.ne(images);
        AssertSame(images.where(covered.logical_not(), full_like(images, fill)), changed);
        AssertSame(covered[.., 0].to(ScalarType.Float32), covered[.., 1].to(ScalarType.Float32));
        var rows = covered[.., 0].any(2, false).to(ScalarType.Float32);
        var columns = covered[.., 0].any(1, false).to(ScalarType.Float32);
        AssertSame(full(2000, 3), rows.sum(1));
        AssertSame(full(2000, 3), columns.sum(1));
        AssertSame(full(2000, 9), covered[.., 0].to(ScalarType.Float32).sum([1, 2]));
        // Of the 4 starts along 6 rows, one lies at either border; likewise of the 6 along 8 columns.
        AssertNear(tensor(new[] { 0.25f, 0.5f, 0.75f, 0.75f, 0.5f, 0.25f }), rows.mean([0]), 0.05);
        AssertNear(tensor(new[] { 1f, 2, 3, 3, 3, 3, 2, 1 }) / 6, columns.mean([0]), 0.05);
    }

    [TestMethod]
    public void ProbabilityIsTheShareOfImagesThatChange()
    {
        var images = RandomPixels(2000, 3, 6, 6) + 1;
        foreach (var augmentation in new ImageAugmentation[]
                 {
                     ImageAugmentation.Brightness(),
                     ImageAugmentation.Contrast(),
                     ImageAugmentation.Saturation(),
                     ImageAugmentation.Cutout(2),
                     ImageAugmentation.Rotation(90),
                     ImageAugmentation.Affine(),
                     ImageAugmentation.Elastic(),
                 })
        {
            var changed = Apply(images, 1, augmentation with { Probability = 0.3 }).Images;
            var share = (changed - images).abs().amax([1, 2, 3]).gt(0.01).to(ScalarType.Float32).mean().item<float>();
            Assert.AreEqual(0.3, share, 0.05, augmentation.ToString());
        }
    }

    private static Tensor Luminance(Tensor images) => 0.299 * images[.., ..1] + 0.587 * images[.., 1..2] + 0.114 * images[.., 2..];

    private static Tensor full(long count, float value) => torch.full(count, value);

    private static void AssertFactors(Tensor factors, double minimum, double maximum)
    {
        var values = Values(factors);
        Assert.AreEqual(minimum, values.Min(), 0.01);
        Assert.AreEqual(maximum, values.Max(), 0.01);
        Assert.AreEqual((minimum + maximum) / 2, values.Average(), 0.03);
    }
}
