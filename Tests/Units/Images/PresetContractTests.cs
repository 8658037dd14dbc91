using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Images;

/// <summary>The contract in short for each ready-made network, on the smallest images that it takes.</summary>
[TestClass]
public sealed class PresetContractTests
{
    private const int ResNetSide = 6;

    /// <summary>All but VGG-16, whose layers are of the kinds that VGG-19 has: the files of both would be the most of the time.</summary>
    public static IEnumerable<object[]> Names => Presets.Cnn.Keys.Except(["VGG-16"]).Concat(Presets.ResNet.Keys).Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Preset_TrainsRepeatsAndIsSaved(string name)
    {
        var data = ImageSample.View(ShapeOf(name), 6);
        using var model = Fit(name, data);
        var record = model.Model.History.Epochs.Single();
        Assert.IsTrue(record.TrainingLoss is > 0 and < 100, $"{record}");
        Assert.AreEqual(6, record.Examples);
        using (var again = Fit(name, data))
            Outcome.AssertSameBits(Outcome.Weights(model), Outcome.Weights(again));
        var expected = Outcome.Scores(model.Transform(data));
        Assert.IsTrue(expected.All(float.IsFinite));
        using var folder = new TemporaryFolder();
        new MLContext().Model.Save(model, data.Schema, folder.File("model.zip"));
        using (var loaded = (NetworkTransformer)new MLContext().Model.Load(folder.File("model.zip"), out _))
        {
            Assert.AreEqual(model.Model.Architecture, loaded.Model.Architecture);
            Outcome.AssertSameComputation(expected, Outcome.Scores(loaded.Transform(data)));
        }
        model.Model.SaveWeights(folder.File("weights.safetensors"));
        using var started = Fit(name, data, options =>
        {
            options.Seed = 2;
            options.Epochs = 0;
            options.InitialWeights = folder.File("weights.safetensors");
            options.InitialWeightsMatch = WeightMatch.Strict;
        });
        Outcome.AssertSameComputation(expected, Outcome.Scores(started.Transform(data)));
    }

    private static ImageShape ShapeOf(string name) => Presets.Cnn.TryGetValue(name, out var preset)
        ? new ImageShape(preset.Channels, preset.SmallestSide, preset.SmallestSide)
        : new ImageShape(3, ResNetSide, ResNetSide);

    private static MulticlassNetworkTransformer Fit(string name, IDataView data, Action<ImageOptions>? change = null)
    {
        ImageOptions options = Presets.Cnn.TryGetValue(name, out var preset)
            ? new CnnMulticlassTrainer.Options { Layers = preset.Layers }
            : Presets.ResNet[name]();
        options.Epochs = 1;
        options.BatchSize = 3;
        options.Seed = 1;
        options.ThreadCount = 1;
        options.ImageShape = ShapeOf(name);
        options.PixelScaling = PixelScaling.ToUnit;
        change?.Invoke(options);
        var trainers = new MLContext(1).MulticlassClassification.Trainers;
        return options is CnnMulticlassTrainer.Options cnn ? trainers.Cnn(cnn).Fit(data) : trainers.ResNet((ResNetMulticlassTrainer.Options)options).Fit(data);
    }
}
