using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Gan;

namespace MLExtensions.Tests.BadInput;

/// <summary>What no generative adversarial network can be trained on, or generate from, is refused by its name.</summary>
[TestClass]
public sealed class BadGanTests
{
    private static readonly BadCase[] Cases =
    [
        new("pixels up to 255", () => Images().Fit(GanSample.Halves(Bad.Ml, scale: 255)), "'Features', row 0 (the first row is 0), slot 0", "ValueRange to new(0, 255)"),
        new("a pixel below 0", () => Images(o => o.FeatureColumnName = "Pixels", 3).Fit(Bad.View(rows => Array.ForEach(rows, row => row.Pixels = [.. row.Pixels.Select((_, slot) => slot == 7 && row == rows[2] ? -1f : 0.5f)]))), "'Pixels', row 2 (the first row is 0), slot 7", "new(-1, 1)", "fixZero: false"),
        new("a sample of NaN", () => Points().Fit(Bad.View(rows => rows[3].Features[1] = float.NaN)), "'Features', row 3 (the first row is 0), slot 1", "NaN"),
        new("images that the layers do not make", () => Images(o => o.Networks = o.Networks! with { Generator = [new DenseLayer(10), new ActivationLayer(Activation.Tanh)] }).Fit(GanSample.Halves(Bad.Ml)), "Networks", "10 values", "64"),
        new("images of a size without a preset", () => Bad.Ml.GenerativeModels.Trainers.Dcgan().Fit(GanSample.Halves(Bad.Ml)), "1 x 8 x 8", "28 x 28"),
        new("a discriminator of two values", () => Points(o => o.Networks = o.Networks! with { Discriminator = [new DenseLayer(2)] }).Fit(Bad.View()), "Networks", "discriminator"),
        new("a generator without layers", () => Points(o => o.Networks = o.Networks! with { Generator = [] }).Fit(Bad.View()), "Networks"),
        new("layers that are null", () => Points(o => o.Networks = o.Networks! with { Generator = null! }).Fit(Bad.View()), "Networks"),
        new("a layer that is null", () => Points(o => o.Networks = o.Networks! with { Discriminator = [null!, new DenseLayer()] }).Fit(Bad.View()), "Networks", "null"),
        new("label layers that are null", () => Points(o => (o.LabelColumnName, o.Networks) = ("Class", o.Networks! with { GeneratorLabel = null! })).Fit(Bad.View()), "Networks"),
        new("spectral normalization of an activation", () => Points(o => o.Networks = o.Networks! with { Discriminator = [new SpectralNormalizationLayer(new ActivationLayer()), new DenseLayer()] }).Fit(Bad.View()), "spectral normalization"),
        new("no noise", () => Points(o => o.Networks = o.Networks! with { LatentSize = 0 }).Fit(Bad.View()), "Networks", "LatentSize is 0"),
        new("an unknown distribution", () => Points(o => o.Networks = o.Networks! with { LatentDistribution = (LatentDistribution)9 }).Fit(Bad.View()), "latentDistribution is 9"),
        new("a label that is text", () => Points(o => o.LabelColumnName = "Group").Fit(Bad.View()), "'Group'", "MapValueToKey"),
        new("a label that is not there", () => Points(o => o.LabelColumnName = "Nowhere").Fit(Bad.View()), "'Nowhere'"),
        new("labels that are all missing", () => Points(o => o.LabelColumnName = "Class").Fit(Bad.View(rows => Array.ForEach(rows, row => row.Class = 9))), "'Class'", "None of the 24 rows"),
        new("too few rows", () => Points(o => (o.PackSize, o.BatchSize) = (4, 8)).Fit(Bad.View(count: 3)), "3 rows", "at least"),
        new("no rows", () => Points().Fit(Bad.View(count: 0)), "no rows"),
        new("packs that do not fill a batch", () => Points(o => (o.PackSize, o.BatchSize) = (3, 8)), "PackSize is 3", "BatchSize, 8"),
        new("label smoothing of hinge", () => Points(o => (o.Loss, o.LabelSmoothing) = (AdversarialLoss.Hinge, 0.1)), "LabelSmoothing", "Hinge"),
        new("augmented numbers", () => Points(o => o.Augmentation = DifferentiableAugmentation.Color).Fit(Bad.View()), "Augmentation is Color", "not images"),
        new("early stopping", () => Points(o => (o.EarlyStopping, o.ValidationFraction) = (new EarlyStopping(), 0.2)), "EarlyStopping", "null"),
        new("a range without limits", () => Points(o => o.ValueRange = ValueRange.Unit).Fit(Bad.View()), "ValueRange", "Tanh"),
        new("images of numbers", () => Points(o => o.OutputImages = true).Fit(Bad.View()), "OutputImages", "not images"),
        new("images without limits", () => Images(o => (o.OutputImages, o.Networks) = (true, o.Networks! with { Generator = [new DenseLayer(64)] })).Fit(GanSample.Halves(Bad.Ml)), "OutputImages", "tanh or sigmoid"),
        new("noise and seed", () => Points(o => (o.NoiseColumnName, o.SeedColumnName) = ("Features", "Class")), "SeedColumnName", "NoiseColumnName"),
        new("noise of another size", () => Points(o => (o.NoiseColumnName, o.Progress) = ("Pixels", null)).Fit(Bad.View()).Transform(Bad.View()), "'Pixels'", "4 values"),
        new("a seed that is a fraction", () => Points(o => o.SeedColumnName = "Target").Fit(Bad.View()), "'Target'", "whole number"),
        new("a seed that is missing", () => Bad.Read(Points(o => (o.SeedColumnName, o.Progress) = ("Class", null)).Fit(Bad.View()).Transform(Bad.View(rows => rows[1].Class = 9))), "Seed column 'Class', row 1"),
        new("a sample that replaces the label", () => Points(o => (o.LabelColumnName, o.OutputColumnName) = ("Class", "Class")), "LabelColumnName and OutputColumnName are both 'Class'"),
        new("kept gradients of both networks", () => Points(o => (o.DiscriminatorSteps, o.GradientAccumulationSteps) = (5, 2)), "GradientAccumulationSteps is 2", "DiscriminatorSteps = 5"),
        new("packs of projected labels", () => Images(o => (o.LabelColumnName, o.PackSize, o.Networks) = ("Class", 2, GanSample.SmallImages(conditional: true))).Fit(GanSample.Halves(Bad.Ml)), "PackSize is 2", "ProjectsLabel = false"),
        new("a picture of four numbers", () => Points(o => o.SamplesFolder = "nowhere").Fit(Bad.View()), "SamplesFolder is set", "4 values"),
        new("a penalty beside batch normalization", () => Points(o => (o.Loss, o.Networks) = (AdversarialLoss.WassersteinGradientPenalty, o.Networks! with { Discriminator = [new DenseLayer(8), new BatchNormalizationLayer(), new DenseLayer()] })).Fit(Bad.View()), "Loss is Wasserstein", "batch normalization"),
        new("a range of layers in layers", () => Points(o => o.Networks = o.Networks! with { Generator = [new SequenceLayer([new DenseLayer(), new ActivationLayer(Activation.Tanh)])] }).Fit(Bad.View(rows => rows[2].Features[0] = 5)), "'Features', row 2", "ValueRange"),
        new("images of another layout to validate on", () => Images(channels: 3).Fit(GanSample.Halves(Bad.Ml, channels: 3), GanSample.Interleaved(Bad.Ml)), "'Features'", "8, 8, 3", "in the validation data"),
        new("images of another layout to describe", () => Bad.Ml.Transforms.DiscriminatorFeatures("Deep", "Features", Images(o => o.Progress = null, 3).Fit(GanSample.Halves(Bad.Ml, channels: 3))).Fit(GanSample.Interleaved(Bad.Ml)), "'Features'", "8, 8, 3", "channel after channel"),
        new("generation without the label", () => Bad.Model("ConditionalDcgan").FindNetwork<GanTransformer>().Transform(Bad.Ml.Transforms.DropColumns("Class").Fit(Bad.View()).Transform(Bad.View())), "'Class'", "conditional"),
        new("generation of keys of other names", () => Bad.Read(Bad.Model("ConditionalDcgan").Transform(Bad.View())), "'Class', row 0", "left, right"),
        new("generation of an unknown class", () => Bad.Model("ConditionalDcgan").FindNetwork<GanTransformer>().Generate(1, label: "middle"), "middle", "left, right"),
        new("a sample without its class", () => Bad.Model("ConditionalDcgan").FindNetwork<GanTransformer>().Sample(new float[6]), "conditional"),
        new("noise of too few values", () => Bad.Model("ConditionalDcgan").FindNetwork<GanTransformer>().Sample(new float[5], "left"), "5", "6"),
        new("noise of NaN", () => Bad.Model("ConditionalDcgan").FindNetwork<GanTransformer>().Sample([1, 2, float.NaN, 4, 5, 6], "left"), "NaN"),
        new("noise that is null", () => Bad.Model("ConditionalDcgan").FindNetwork<GanTransformer>().Sample(null!, "left"), "null", "6 values"),
        new("no samples", () => Bad.Model("ConditionalDcgan").FindNetwork<GanTransformer>().Generate(0), "count"),
    ];

    public static IEnumerable<object[]> Names => BadCase.NamesOf(Cases);

    [TestMethod]
    [Timeout(10_000)]
    [DynamicData(nameof(Names))]
    public void IsRefused(string name) => BadCase.Check(Cases, name);

    private static GanEstimator Points(Action<GanEstimator.Options>? change = null)
    {
        var options = new GanEstimator.Options { Networks = GanSample.SmallPoints() };
        (options.Epochs, options.Seed, options.ThreadCount, options.Progress) = (1, 1, 1, BadCase.Watch);
        change?.Invoke(options);
        return Bad.Ml.GenerativeModels.Trainers.Gan(options);
    }

    private static DcganEstimator Images(Action<DcganEstimator.Options>? change = null, int channels = 1)
    {
        var options = new DcganEstimator.Options { Networks = GanSample.SmallImages(channels: channels), ImageShape = new ImageShape(channels, GanSample.Side, GanSample.Side) };
        (options.Epochs, options.Seed, options.ThreadCount, options.Progress) = (1, 1, 1, BadCase.Watch);
        change?.Invoke(options);
        return Bad.Ml.GenerativeModels.Trainers.Dcgan(options);
    }
}
