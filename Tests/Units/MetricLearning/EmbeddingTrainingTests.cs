using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Training of embeddings.</summary>
[TestClass]
public sealed class EmbeddingTrainingTests
{
    private static readonly MLContext Ml = new(1);

    public static IEnumerable<object[]> Losses =>
    [
        [new TripletLoss()], [new TripletLoss { Mining = TripletMining.StrictSemiHard }], [new TripletLoss { Mining = TripletMining.All }], [new TripletLoss { Mining = TripletMining.Hard, SoftMargin = true }],
        [new TripletLoss { Mining = TripletMining.DistanceWeighted }], [new ContrastiveLoss()], [new MultiSimilarityLoss()], [new ArcFaceLoss { Scale = 16 }], [new NormalizedTemperatureLoss()],
    ];

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Losses))]
    public void EveryLoss_FindsClassesThatWereNotTrained(MetricLoss loss)
    {
        var unseen = EmbeddingSample.View(Ml, EmbeddingSample.Rows(6, 10, seed: 2, first: 50));
        using var model = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => (o.Loss, o.Epochs) = (loss, loss is ArcFaceLoss ? 60 : o.Epochs))).Fit(EmbeddingSample.View(Ml, EmbeddingSample.Rows(20, 8, seed: 1)));
        Floor.Above(0.8, Ml.MetricLearning.Evaluate(model.Transform(unseen)).AreaUnderRocCurve, $"{loss}");
        Assert.IsLessThan(0.7, Ml.MetricLearning.Evaluate(unseen, embeddingColumnName: "Features").AreaUnderRocCurve, "the noise without a network");
        var last = model.History.Epochs[^1].Training;
        CollectionAssert.AreEquivalent(new[] { "loss", "activeTriplets", "sameDistance", "differentDistance" }, last.Keys.ToArray());
        Assert.IsLessThan(last["differentDistance"], last["sameDistance"]);
    }

    [TestMethod]
    public void Embeddings_HaveLength1_AndAreThoseOfOneRow()
    {
        var rows = EmbeddingSample.Rows(4, 8, seed: 1);
        using var model = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => o.Epochs = 2)).Fit(EmbeddingSample.View(Ml, rows));
        var embeddings = model.Transform(EmbeddingSample.View(Ml, rows)).GetColumn<float[]>("Embedding").ToArray();
        Assert.IsTrue(embeddings.All(row => row.Length == 4 && Math.Abs(row.Sum(x => x * x) - 1) < 1e-6));
        CollectionAssert.AreEqual(embeddings[3], model.Embed(rows[3].Features), Comparer<float>.Create((a, b) => Math.Abs(a - b) < 1e-6 ? 0 : 1));
    }

    [TestMethod]
    public void Validation_MeasuresHeldOutClasses_AndStopsByThem()
    {
        var data = EmbeddingSample.View(Ml, EmbeddingSample.Rows(20, 8, seed: 1));
        using var model = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => (o.ValidationFraction, o.ValidationGroupColumnName, o.EarlyStopping, o.Epochs) = (0.3, "Label", new EarlyStopping { Patience = 3 }, 60))).Fit(data);
        var best = model.History.Epochs[model.History.BestEpoch!.Value - 1].Validation;
        CollectionAssert.AreEquivalent(new[] { "auc", "precisionAt1", "sameDistance", "differentDistance" }, best.Keys.ToArray());
        Assert.AreEqual(model.History.Epochs.Max(epoch => epoch.Validation["auc"]), best["auc"]);
        Assert.IsNotNull(model.History.BeforeTraining);
    }

    /// <summary>What validation says is what evaluation says of the same rows.</summary>
    [TestMethod]
    public void Validation_IsEvaluation()
    {
        var validation = EmbeddingSample.View(Ml, EmbeddingSample.Rows(6, 10, seed: 2, first: 50));
        using var model = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => o.Epochs = 3)).Fit(EmbeddingSample.View(Ml, EmbeddingSample.Rows(20, 8, seed: 1)), validation);
        var metrics = Ml.MetricLearning.Evaluate(model.Transform(validation));
        var last = model.History.Epochs[^1].Validation;
        Assert.AreEqual(metrics.AreaUnderRocCurve, last["auc"], 1e-3);
        Assert.AreEqual(metrics.PrecisionAt1, last["precisionAt1"], 1e-6);
        Assert.AreEqual(metrics.MeanSameDistance, last["sameDistance"], 1e-5);
    }

    [TestMethod]
    public void Classifier_CanBeTheInitialModel()
    {
        var data = EmbeddingSample.View(Ml, EmbeddingSample.Rows(20, 8, seed: 1));
        using var classifier = Ml.MulticlassClassification.Trainers.Mlp(new MlpMulticlassTrainer.Options { HiddenLayers = [32], Epochs = 5, Seed = 1 }).Fit(data);
        using var model = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => (o.InitialModel, o.Epochs, o.FrozenLayers) = (classifier, 1, ["hidden"]))).Fit(data);
        CollectionAssert.AreEqual(classifier.Network().GetWeights("hidden.0.linear.weight"), model.Model.GetWeights("hidden.0.linear.weight"));
        Assert.AreEqual(4, model.EmbeddingSize);
        using var again = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => (o.InitialModel, o.Epochs) = (model, 0))).Fit(data);
        Assert.AreEqual(model.Fingerprint, again.Fingerprint);
    }

    /// <summary>A learning rate far too large with hard negatives, from a network that can give only one embedding.</summary>
    [TestMethod]
    public void Collapse_IsSaidWithWhatHelps()
    {
        var rows = EmbeddingSample.Rows(8, 4, seed: 1);
        foreach (var row in rows)
            row.Features = [.. row.Features.Select(x => (x * 1e-4f) + 1)];
        using var model = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => (o.Loss, o.LearningRate, o.Epochs) = (new TripletLoss { Mining = TripletMining.Hard }, 1e-7, 3))).Fit(EmbeddingSample.View(Ml, rows));
        var warning = model.History.Warnings.Single(text => text.StartsWith("The embeddings collapsed", StringComparison.Ordinal));
        StringAssert.Contains(warning, "Mining = SemiHard");
        StringAssert.Contains(warning, "InitialModel");
        Assert.AreEqual(0.2, model.History.Epochs[^1].TrainingLoss, 0.01, "the margin");
        Assert.AreEqual(1, model.History.Epochs[^1].Training["activeTriplets"], 1e-6);
    }

    [TestMethod]
    public void ClassesWithOneExample_AreCountedAndSaid()
    {
        var rows = EmbeddingSample.Rows(4, 8, seed: 1).Concat(EmbeddingSample.Rows(3, 1, seed: 2, first: 10)).Append(new EmbeddingSample.Row { Features = new float[EmbeddingSample.Width], Label = null });
        using var model = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => o.Epochs = 1)).Fit(EmbeddingSample.View(Ml, rows));
        Assert.AreEqual(3, model.History.DataCounts["classes with one example"]);
        Assert.AreEqual(1, model.History.DataCounts["rows without a label"]);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Images_AreAugmentedAndEmbedded()
    {
        var random = new Random(TestSeed.Of(1));
        var images = Enumerable.Range(0, 24).Select(row => new ImageRow { Pixels = Enumerable.Range(0, 64).Select(pixel => (row % 3 == 0 ? pixel % 8 : row % 3 == 1 ? pixel / 8 : 7 - (pixel % 8)) + (float)random.NextDouble()).ToArray(), Label = (uint)(row % 3) + 1 }).ToArray();
        var data = Ml.Data.LoadFromEnumerable(images);
        var options = new ImageEmbeddingEstimator.Options
        {
            FeatureColumnName = "Pixels",
            Trunk = ImageTrunk.Cnn(new ConvolutionLayer(4, 3), new ActivationLayer(), new MaxPoolingLayer(2), new DenseLayer()),
            Augmentations = [new RandomAffine { MaximumShift = 0.1 }],
            PixelScaling = PixelScaling.PerImageStandardization,
            EmbeddingSize = 8,
            BatchSize = 12,
            Epochs = 20,
            LearningRate = 0.01,
            TestTimeFlip = false,
            Seed = TestSeed.Of(1),
            ThreadCount = 1,
        };
        using var model = Ml.MetricLearning.Trainers.Image(options).Fit(data);
        Floor.Above(0.9, Ml.MetricLearning.Evaluate(model.Transform(data)).PrecisionAt1);
        options.Trunk = ImageTrunk.ResNet(depth: 8, baseChannels: 4);
        options.Epochs = 1;
        using var residual = Ml.MetricLearning.Trainers.Image(options).Fit(data);
        Assert.IsInstanceOfType<ResNetArchitecture>(residual.Model.Architecture);
    }

    private sealed class ImageRow
    {
        [VectorType(1, 8, 8)]
        public float[] Pixels { get; set; } = [];

        [KeyType(3)]
        public uint Label { get; set; }
    }
}
