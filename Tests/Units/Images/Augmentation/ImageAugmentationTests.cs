using System.Text.Json;
using MLExtensions.Families.Images;

namespace MLExtensions.Tests.Images;

[TestClass]
public class ImageAugmentationTests
{
    private static readonly ImageAugmentation[] all =
    [
        ImageAugmentation.Crop(3, 20, 22),
        ImageAugmentation.Crop(),
        ImageAugmentation.Flip(false, true, 0.25),
        ImageAugmentation.Rotation(10),
        ImageAugmentation.Affine(0.8, 1.3, 0.2, 7),
        ImageAugmentation.Elastic(8, 3),
        ImageAugmentation.Brightness(20),
        ImageAugmentation.Contrast(0.5, 1.5),
        ImageAugmentation.Saturation(0.4, 1.6),
        ImageAugmentation.Cutout(5, 100),
        ImageAugmentation.Mixup(0.4),
    ];

    [TestMethod]
    public void JsonRoundTrip()
    {
        foreach (ImageAugmentation augmentation in all)
        {
            ImageAugmentation changed = augmentation with { Probability = 0.75 };
            var json = JsonSerializer.Serialize(changed);
            Assert.AreEqual(changed, JsonSerializer.Deserialize<ImageAugmentation>(json), json);
        }
        IReadOnlyList<ImageAugmentation> list = all;
        CollectionAssert.AreEqual(all, JsonSerializer.Deserialize<ImageAugmentation[]>(JsonSerializer.Serialize(list)));
        StringAssert.StartsWith(JsonSerializer.Serialize<ImageAugmentation>(ImageAugmentation.Cutout()), """{"$type":"cutout","Size":8""");
    }

    [TestMethod]
    public void FactoriesGiveTheRecordsDefaults()
    {
        Assert.AreEqual(new RandomCrop(), ImageAugmentation.Crop());
        Assert.AreEqual(new RandomFlip(), ImageAugmentation.Flip());
        Assert.AreEqual(new RandomRotation(), ImageAugmentation.Rotation());
        Assert.AreEqual(new RandomAffine(), ImageAugmentation.Affine());
        Assert.AreEqual(new ElasticDistortion(), ImageAugmentation.Elastic());
        Assert.AreEqual(new RandomBrightness(), ImageAugmentation.Brightness());
        Assert.AreEqual(new RandomContrast(), ImageAugmentation.Contrast());
        Assert.AreEqual(new RandomSaturation(), ImageAugmentation.Saturation());
        Assert.AreEqual(new Cutout(), ImageAugmentation.Cutout());
        Assert.AreEqual(new Mixup(), ImageAugmentation.Mixup());
    }

    [TestMethod]
    public void DefaultsAndSamplesAreAccepted()
    {
        foreach (ImageAugmentation augmentation in all)
            ImageAugmenter.Create([augmentation], 3, 32, 32);
        ImageAugmenter.Create(ImageAugmentation.DistortedInputs(), 3, 32, 32);
        ImageAugmenter.Create(ImageAugmentation.DistortedInputs(20), 1, 20, 20);
    }

    [TestMethod]
    public void DistortedInputsAreTheTutorials() => CollectionAssert.AreEqual(
        new ImageAugmentation[]
        {
            new RandomCrop { Padding = 0, Height = 24, Width = 24 },
            new RandomFlip(),
            new RandomBrightness { MaximumDelta = 63 },
            new RandomContrast { Minimum = 0.2, Maximum = 1.8 },
        },
        ImageAugmentation.DistortedInputs().ToArray());

    [TestMethod]
    [DataRow(double.NaN)]
    [DataRow(double.PositiveInfinity)]
    [DataRow(-0.5)]
    public void RefusesByName(double bad)
    {
        foreach (ImageAugmentation augmentation in all)
            AssertRefused(augmentation with { Probability = bad }, $"{augmentation.GetType().Name}.Probability");
        AssertRefused(ImageAugmentation.Rotation(bad), "RandomRotation.MaximumDegrees");
        AssertRefused(ImageAugmentation.Affine(bad), "RandomAffine.MinimumScale");
        AssertRefused(ImageAugmentation.Affine(1, bad), "RandomAffine.MaximumScale");
        AssertRefused(ImageAugmentation.Affine(1, 1, bad), "RandomAffine.MaximumShift");
        AssertRefused(ImageAugmentation.Affine(1, 1, 0, bad), "RandomAffine.MaximumShear");
        AssertRefused(ImageAugmentation.Elastic(bad), "ElasticDistortion.Alpha");
        AssertRefused(ImageAugmentation.Elastic(1, bad), "ElasticDistortion.Sigma");
        AssertRefused(ImageAugmentation.Brightness(bad), "RandomBrightness.MaximumDelta");
        AssertRefused(ImageAugmentation.Contrast(bad), "RandomContrast.Minimum");
        AssertRefused(ImageAugmentation.Contrast(0, bad), "RandomContrast.Maximum");
        AssertRefused(ImageAugmentation.Saturation(bad), "RandomSaturation.Minimum");
        AssertRefused(ImageAugmentation.Saturation(0, bad), "RandomSaturation.Maximum");
        AssertRefused(ImageAugmentation.Mixup(bad), "Mixup.Alpha");
    }

    [TestMethod]
    public void RefusesBorders()
    {
        AssertRefused(ImageAugmentation.Crop(-1), "RandomCrop.Padding");
        AssertRefused(ImageAugmentation.Crop(0, 0), "RandomCrop.Height");
        AssertRefused(ImageAugmentation.Crop(0, 1, 0), "RandomCrop.Width");
        AssertRefused(ImageAugmentation.Rotation(181), "RandomRotation.MaximumDegrees");
        AssertRefused(ImageAugmentation.Affine(1.1, 1), "RandomAffine.MaximumScale");
        AssertRefused(ImageAugmentation.Elastic(1, 0), "ElasticDistortion.Sigma");
        AssertRefused(ImageAugmentation.Contrast(1, 0.9), "RandomContrast.Maximum");
        AssertRefused(ImageAugmentation.Cutout(0), "Cutout.Size");
        AssertRefused(ImageAugmentation.Cutout(1, double.NaN), "Cutout.Fill");
        AssertRefused(ImageAugmentation.Mixup(0), "Mixup.Alpha");
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ImageAugmentation.Flip(false).Check());
        StringAssert.Contains(error.Message, "RandomFlip.Horizontal and RandomFlip.Vertical are both false; one must be true.");
    }

    [TestMethod]
    public void RefusesImagesOfTheWrongSize()
    {
        AssertRefused("RandomCrop.Height is 37, but the padded image has only 32 + 2 * 2 = 36 pixels", 3, ImageAugmentation.Crop(2, 37));
        AssertRefused("RandomCrop.Width is 31, but the padded image has only 28 + 2 * 1 = 30 pixels", 3, ImageAugmentation.Crop(1, null, 31));
        AssertRefused("RandomSaturation needs images with 3 channels (red, green, blue); these have 1.", 1, ImageAugmentation.Saturation());
        AssertRefused("Cutout.Size is 29, but the images are 32 x 28 pixels", 3, ImageAugmentation.Cutout(29));
        AssertRefused("Cutout.Size is 9, but the images are 8 x 28 pixels", 3, ImageAugmentation.Crop(0, 8), ImageAugmentation.Cutout(9));
        AssertRefused("RandomCrop.Height is 9, but the padded image has only 8 + 2 * 0 = 8", 3, ImageAugmentation.Crop(0, 8), ImageAugmentation.Crop(0, 9));
    }

    [TestMethod]
    public void RefusesOtherImagesThanItWasMadeFor()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        ImageAugmenter augmenter = ImageAugmenter.Create([ImageAugmentation.Cutout(8)], 1, 32, 32);
        var random = new SplitMix64(1);
        var error = Assert.ThrowsExactly<ArgumentException>(() => augmenter.Apply(AugmentationSample.RandomPixels(2, 1, 7, 9), ref random));
        StringAssert.Contains(error.Message, "Cutout.Size is 8, but the images are 7 x 9 pixels");
    }

    [TestMethod]
    public void RefusesWrongLists()
    {
        AssertRefused("Augmentations has Mixup 2 times; it may be used once.", 3, ImageAugmentation.Mixup(), ImageAugmentation.Mixup());
        Assert.AreEqual("Augmentations", Assert.ThrowsExactly<ArgumentNullException>(() => ImageAugmenter.Check(null!)).ParamName);
        Assert.AreEqual("Augmentations[1]", Assert.ThrowsExactly<ArgumentNullException>(() => ImageAugmenter.Check([ImageAugmentation.Flip(), null!])).ParamName);
    }

    private static void AssertRefused(ImageAugmentation augmentation, string name)
    {
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ImageAugmenter.Check([augmentation]));
        Assert.AreEqual(name, error.ParamName);
        StringAssert.Contains(error.Message, "it must be ");
    }

    private static void AssertRefused(string message, int channels, params ImageAugmentation[] augmentations)
    {
        var error = Assert.ThrowsExactly<ArgumentException>(() => ImageAugmenter.Create(augmentations, channels, 32, 28));
        StringAssert.Contains(error.Message, message);
    }
}
