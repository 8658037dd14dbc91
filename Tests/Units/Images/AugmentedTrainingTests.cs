using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Images;

/// <summary>Augmentations in training: repeatable, resumable, and nowhere but in training.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class AugmentedTrainingTests
{
    private static readonly ImageShape Shape = new(3, 8, 8);

    private static readonly ImageAugmentation[] Everything =
    [
        ImageAugmentation.Crop(1),
        ImageAugmentation.Flip(),
        ImageAugmentation.Affine(),
        ImageAugmentation.Elastic(),
        ImageAugmentation.Brightness(),
        ImageAugmentation.Contrast(),
        ImageAugmentation.Saturation(),
        ImageAugmentation.Cutout(2),
        ImageAugmentation.Mixup(),
    ];

    [TestMethod]
    public void SameSeed_SameBits()
    {
        var first = Outcome.Weights(Fit());
        Outcome.AssertSameBits(first, Outcome.Weights(Fit()));
        Assert.IsFalse(Outcome.SameBits(first, Outcome.Weights(Fit(options => options.Seed = 2))));
        Assert.IsFalse(Outcome.SameBits(first, Outcome.Weights(Fit(options => options.Augmentations = []))));
    }

    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void Resumed_SameBitsAsInOneGo(Buffering buffering)
    {
        using var folder = new TemporaryFolder();
        Fit(options => (options.Epochs, options.CheckpointFolder, options.Buffering) = (2, folder.Path, buffering)).Dispose();
        var resumed = Fit(options => (options.Epochs, options.CheckpointFolder, options.ResumeFromCheckpoint, options.Buffering) = (5, folder.Path, true, buffering));
        Outcome.AssertSameBits(Outcome.Weights(Fit(options => (options.Epochs, options.Buffering) = (5, buffering))), Outcome.Weights(resumed));
    }

    /// <summary>A checkpoint of other augmentations is of another training.</summary>
    [TestMethod]
    public void Resumed_WithOtherAugmentations_IsRefused()
    {
        using var folder = new TemporaryFolder();
        Fit(options => options.CheckpointFolder = folder.Path).Dispose();
        var error = Assert.Throws<Exception>(() => Fit(options => (options.CheckpointFolder, options.ResumeFromCheckpoint, options.Epochs, options.Augmentations) = (folder.Path, true, 5, [ImageAugmentation.Flip()])));
        Assert.Contains("Augmentations", error.Message);
    }

    /// <summary>At a vanishing rate, losses differ only by what is done to the images.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void ValidationAndScoring_AreNeverAugmented()
    {
        var data = ImageSample.View(Shape, 60);
        var validation = ImageSample.View(Shape, 40, seed: 2);
        var ml = new MLContext(1);
        var losses = new List<double>();
        foreach (var augmentations in new[] { [], Everything })
        {
            var options = Options();
            (options.Augmentations, options.LearningRate, options.Epochs) = (augmentations, 1e-12, 1);
            using var model = ml.MulticlassClassification.Trainers.Cnn(options).Fit(data, validation);
            var record = model.History.Epochs[0];
            losses.Add(record.TrainingLoss);
            Assert.AreEqual(ml.MulticlassClassification.Evaluate(model.Transform(validation)).LogLoss, record.ValidationLoss!.Value, 1e-4);
            if (augmentations.Length == 0)
                Assert.AreEqual(ml.MulticlassClassification.Evaluate(model.Transform(data)).LogLoss, record.TrainingLoss, 1e-4);
        }
        Floor.Above(1e-5, Math.Abs(losses[0] - losses[1]));
    }

    /// <summary>A random crop in training, the crop of the middle in scoring: one network.</summary>
    [TestMethod]
    public void RandomCropOfTheNetworksSize_Trains()
    {
        using var model = Fit(options => (options.CropSize, options.Augmentations) = (6, [ImageAugmentation.Crop(0, 6, 6), ImageAugmentation.Flip()]));
        Assert.AreEqual(6, ((ImageArchitecture)model.Model.Architecture).Placed[0].Input.Height);
        Assert.IsTrue(Outcome.Scores(model.Transform(ImageSample.View(Shape, 10))).All(float.IsFinite));
    }

    [TestMethod]
    public void RandomCropOfAnotherSize_IsRefusedWithTheArithmetic()
    {
        AssertRefused(null, ImageAugmentation.Crop(0, 6, 6), "6 x 6", "takes 8 x 8", "CropSize");
        AssertRefused(6, ImageAugmentation.Crop(0, 7, 7), "7 x 7", "takes 6 x 6", "CropSize");
        AssertRefused(null, ImageAugmentation.Crop(1, 11, 8), "11", "8 + 2 * 1 = 10", "RandomCrop.Height");

        static void AssertRefused(int? cropSize, ImageAugmentation augmentation, params string[] parts)
        {
            var error = Assert.Throws<ArgumentException>(() => Fit(options => (options.CropSize, options.Augmentations) = (cropSize, [augmentation])));
            foreach (var part in parts)
                Assert.Contains(part, error.Message);
        }
    }

    private static CnnMulticlassTrainer.Options Options()
    {
        // Neither batch statistics nor dropout: they differ between training and scoring, too.
        var options = ImageSample.Options(new ConvolutionLayer(4, 3), new ActivationLayer(), new DenseLayer());
        (options.Epochs, options.BatchSize, options.Augmentations) = (2, 16, Everything);
        return options;
    }

    private static MulticlassNetworkTransformer Fit(Action<CnnMulticlassTrainer.Options>? change = null)
    {
        var options = Options();
        change?.Invoke(options);
        return ImageSample.Fit(options, ImageSample.View(Shape, 50));
    }
}
