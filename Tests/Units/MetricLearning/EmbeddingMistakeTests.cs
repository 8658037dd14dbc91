using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>What is wrong with options and data is said before training.</summary>
[TestClass]
public sealed class EmbeddingMistakeTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void BatchSize_ThatIsNoMultiple_IsRefused()
    {
        Refused("BatchSize is 18; it must be a multiple of ExamplesPerClass, 4", o => o.BatchSize = 18);
        Refused("BatchSize is 4; it must be a multiple of ExamplesPerClass, 4, and at least 2 times", o => o.BatchSize = 4);
        Refused("ExamplesPerClass is 1", o => o.ExamplesPerClass = 1);
    }

    [TestMethod]
    public void SettingsOfLosses_AreChecked()
    {
        Refused("Loss.Margin is 0", o => o.Loss = new TripletLoss { Margin = 0 });
        Refused("Loss.Mining is 9", o => o.Loss = new TripletLoss { Mining = (TripletMining)9 });
        Refused("Loss.Margin is 3", o => o.Loss = new ContrastiveLoss { Margin = 3 });
        Refused("Loss.Scale is NaN", o => o.Loss = new ArcFaceLoss { Scale = double.NaN });
        Refused("Loss.Margin is 2", o => o.Loss = new ArcFaceLoss { Margin = 2 });
        Refused("Loss.Temperature is 0", o => o.Loss = new NormalizedTemperatureLoss { Temperature = 0 });
        Refused("Loss.Base is 2", o => o.Loss = new MultiSimilarityLoss { Base = 2 });
        Refused("Loss", o => o.Loss = null!);
    }

    [TestMethod]
    public void Streaming_IsRefused() => Refused("Buffering is Streaming; it must be InMemory", o => o.Buffering = Buffering.Streaming);

    [TestMethod]
    public void Mixup_IsRefused() => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Trainers.Image(new ImageEmbeddingEstimator.Options { Augmentations = [new Mixup()] })).Message, "Mixup");

    [TestMethod]
    public void DataWithoutPairs_IsRefused()
    {
        Unfit("All 8 training rows have the same class in column 'Label'", EmbeddingSample.Rows(1, 8, seed: 1));
        Unfit("Each of the 8 classes in column 'Label' has only one training row", EmbeddingSample.Rows(8, 1, seed: 1));
        var rows = EmbeddingSample.Rows(4, 8, seed: 1);
        rows[5].Features[2] = float.NaN;
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => Fit(rows)).Message, "row 5");
    }

    [TestMethod]
    public void LabelThatIsNoKey_IsRefusedWithAdvice()
    {
        var data = Ml.Data.LoadFromEnumerable(EmbeddingSample.Rows(4, 8, seed: 1));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options()).Fit(data)).Message, "MapValueToKey");
    }

    [TestMethod]
    public void ValidationWithoutPairs_IsRefused()
    {
        var data = EmbeddingSample.View(Ml, EmbeddingSample.Rows(4, 8, seed: 1));
        var e = Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options()).Fit(data, EmbeddingSample.View(Ml, EmbeddingSample.Rows(1, 8, seed: 1))));
        StringAssert.Contains(e.Message, "The 8 validation rows are of 1 class");
    }

    [TestMethod]
    public void EvaluationWithoutPairs_IsRefused()
    {
        var data = EmbeddingSample.View(Ml, EmbeddingSample.Rows(1, 8, seed: 1));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Evaluate(data, embeddingColumnName: "Features")).Message, "8 rows of 1 class");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.CreatePairs(data, embeddingColumnName: "Features")).Message, "both kinds are needed");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Evaluate(data)).Message, "'Embedding'");
    }

    private static void Refused(string message, Action<DenseEmbeddingEstimator.Options> change) =>
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(change))).Message, message);

    private static void Unfit(string message, EmbeddingSample.Row[] rows) => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Fit(rows)).Message, message);

    private static void Fit(EmbeddingSample.Row[] rows) => Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options()).Fit(EmbeddingSample.View(Ml, rows)).Dispose();
}
