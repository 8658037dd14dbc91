using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Distribution;

/// <summary>Folds and items that ranks compute apart. Ranks are threads here.</summary>
[TestClass]
public sealed class RankedFoldTests
{
    private const int Folds = 5;

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    public void Multiclass_MetricsAndModelsOfOneProcess(int ranks)
    {
        var ml = new MLContext(1);
        var expected = ml.MulticlassClassification.CrossValidate(Data(ml), Multiclass(ml), Folds);
        foreach (var folds in Run(ranks, (ml, distributed) => ml.MulticlassClassification.CrossValidate(Data(ml), Multiclass(ml), distributed, Folds)))
        {
            CollectionAssert.AreEqual(Enumerable.Range(0, Folds).ToArray(), folds.Select(fold => fold.Fold).ToArray());
            CollectionAssert.AreEqual(expected.Select(fold => fold.Metrics.LogLoss).ToArray(), folds.Select(fold => fold.Metrics.LogLoss).ToArray());
            CollectionAssert.AreEqual(Scores(expected[1].Model, ml), Scores(folds[1].Model, ml));
            CollectionAssert.AreEqual(expected[2].ScoredHoldOutSet.GetColumn<float[]>("Score").First(), folds[2].ScoredHoldOutSet.GetColumn<float[]>("Score").First());
        }
    }

    [TestMethod]
    public void Binary_MetricsOfOneProcess()
    {
        var ml = new MLContext(1);
        var expected = ml.BinaryClassification.CrossValidate(Data(ml), Binary(ml), 3, "IsFirst", samplingKeyColumnName: "Group");
        var plain = ml.BinaryClassification.CrossValidateNonCalibrated(Data(ml), Binary(ml), 3, "IsFirst", seed: 4);
        foreach (var (folds, others) in Run(2, (ml, distributed) => (
            ml.BinaryClassification.CrossValidate(Data(ml), Binary(ml), distributed, 3, "IsFirst", samplingKeyColumnName: "Group"),
            ml.BinaryClassification.CrossValidateNonCalibrated(Data(ml), Binary(ml), distributed, 3, "IsFirst", seed: 4))))
        {
            CollectionAssert.AreEqual(expected.Select(fold => fold.Metrics.LogLoss).ToArray(), folds.Select(fold => fold.Metrics.LogLoss).ToArray());
            CollectionAssert.AreEqual(plain.Select(fold => fold.Metrics.AreaUnderRocCurve).ToArray(), others.Select(fold => fold.Metrics.AreaUnderRocCurve).ToArray());
        }
    }

    [TestMethod]
    public void Regression_MetricsOfOneProcess_AndFoldsOfOneSeedIfNobodyGaveOne()
    {
        var ml = new MLContext(1);
        var expected = ml.Regression.CrossValidate(Data(ml), Regression(ml), 3, "Value").Select(fold => fold.Metrics.MeanSquaredError).ToArray();
        foreach (var folds in Run(2, (ml, distributed) => ml.Regression.CrossValidate(Data(ml), Regression(ml), distributed, 3, "Value")))
            CollectionAssert.AreEqual(expected, folds.Select(fold => fold.Metrics.MeanSquaredError).ToArray());
        var unseeded = ThreadRanks.Run(2, distributed => Errors(new MLContext(), distributed));
        CollectionAssert.AreEqual(unseeded[0], unseeded[1]);

        static double[] Errors(MLContext ml, Distributed distributed) =>
            ml.Regression.CrossValidate(Data(ml), Regression(ml), distributed, 3, "Value").Select(fold => fold.Metrics.MeanSquaredError).ToArray();
    }

    [TestMethod]
    public void Map_EachItemOnceAndAllResultsEverywhere()
    {
        var computed = new int[7];
        var all = ThreadRanks.Run(3, distributed => distributed.Map(Enumerable.Range(0, 7).ToArray(), item =>
        {
            Interlocked.Increment(ref computed[item]);
            return (Rank: distributed.Rank, Value: item == 2 ? double.NaN : item * 0.1);
        }));
        CollectionAssert.AreEqual(Enumerable.Repeat(1, 7).ToArray(), computed);
        foreach (var results in all)
        {
            CollectionAssert.AreEqual(new[] { 0, 1, 2, 0, 1, 2, 0 }, results.Select(result => result.Rank).ToArray());
            CollectionAssert.AreEqual(new[] { 0, 0.1, double.NaN, 3 * 0.1, 0.4, 0.5, 6 * 0.1 }, results.Select(result => result.Value).ToArray());
        }
        CollectionAssert.AreEqual(new[] { 1, 4, 9 }, Distributed.FromEnvironment().Map([1, 2, 3], item => item * item).ToArray());
    }

    [TestMethod]
    public void TrainingOfAllRanksInAnItem_SaysWhatToSet()
    {
        var results = ThreadRanks.Try(2, distributed => distributed.Map([1, 2], item =>
        {
            var ml = new MLContext(1);
            return ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { LabelColumnName = "Value", Distributed = distributed }).Fit(Data(ml)).Model.History!.Epochs.Count;
        }));
        Assert.IsTrue(results.All(result => result.Error is InvalidOperationException));
        Assert.IsTrue(results.Any(result => result.Error!.Message.Contains("Set its Distributed to null", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void FailedItem_EndsAllWithItsReason()
    {
        var results = ThreadRanks.Try(2, distributed => distributed.Map([1, 2, 3], item => item == 2 ? throw new FormatException("on purpose") : item));
        Assert.IsInstanceOfType<FormatException>(results[1].Error);
        Assert.Contains("Rank 1 ended the training: on purpose", results[0].Error!.Message);
    }

    [TestMethod]
    public void RanksThatDoOtherThings_AreNamed()
    {
        AssertNamed("Map of 4 items", distributed => distributed.Map(new int[3 + distributed.Rank], item => item));
        AssertNamed("3 folds of 120 rows", distributed => Folds(distributed, 3 + distributed.Rank, 1));
        AssertNamed("cross-validation with 3 folds", distributed => Folds(distributed, 3, 1 + distributed.Rank));
        AssertNamed("a training of MlpRegressionTrainer", distributed => distributed.IsMain ? distributed.Map([1], item => item) : Train(distributed));

        static void AssertNamed(string what, Func<Distributed, object> body)
        {
            foreach (var (_, error) in ThreadRanks.Try(2, body))
            {
                Assert.IsInstanceOfType<DistributedException>(error);
                Assert.Contains("Rank 1 does something else: ", error!.Message);
                Assert.Contains(what, error.Message);
            }
        }

        static object Folds(Distributed distributed, int folds, int seed)
        {
            var ml = new MLContext(seed);
            return ml.Regression.CrossValidate(Data(ml), Regression(ml), distributed, folds, "Value");
        }
    }

    [TestMethod]
    public void TwoTrainingsAtOnce_AreRefused()
    {
        var results = ThreadRanks.Try(2, distributed => distributed.Map([1, 2], item =>
        {
            Exception? refused = null;
            var other = new Thread(() => refused = Assert.Throws<InvalidOperationException>(() => Train(distributed)));
            other.Start();
            other.Join();
            return refused!.Message;
        }));
        Assert.IsTrue(results.All(result => result.Value!.All(message => message.Contains("under way on another thread", StringComparison.Ordinal))));
    }

    [TestMethod]
    public void ResultsThatJsonLoses_AreRefused()
    {
        var results = ThreadRanks.Try(2, distributed => distributed.Map([1, 2], item => new ReadOnly(item)));
        Assert.Contains("JSON does not keep all of a ReadOnly", results[0].Error!.Message);
        var matrices = ThreadRanks.Try(2, distributed => distributed.Map([1], item => new int[2, 2]));
        Assert.Contains("The result of item 0 of Map cannot travel between ranks: JSON does not keep all of a Int32[,]", matrices[0].Error!.Message);
    }

    private static object Train(Distributed distributed)
    {
        var ml = new MLContext(1);
        return ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { LabelColumnName = "Value", Epochs = 1, Distributed = distributed }).Fit(Data(ml));
    }

    private static T[] Run<T>(int ranks, Func<MLContext, Distributed, T> body) =>
        ranks == 1 ? [body(new MLContext(1), Distributed.FromEnvironment())] : ThreadRanks.Run(ranks, distributed => body(new MLContext(1), distributed));

    private static IEstimator<ITransformer> Multiclass(MLContext ml) =>
        ml.Transforms.Conversion.MapValueToKey("Label").Append(ml.Transforms.NormalizeMeanVariance("Features")).Append(ml.MulticlassClassification.Trainers.Mlp(epochs: 3));

    private static IEstimator<ITransformer> Binary(MLContext ml) =>
        ml.Transforms.NormalizeMeanVariance("Features").Append(ml.BinaryClassification.Trainers.Mlp("IsFirst", epochs: 3));

    private static IEstimator<ITransformer> Regression(MLContext ml) =>
        ml.Transforms.NormalizeMeanVariance("Features").Append(ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { LabelColumnName = "Value", Epochs = 3, Seed = 5 }));

    private static float[] Scores(ITransformer model, MLContext ml) => model.Transform(Data(ml)).GetColumn<float[]>("Score").SelectMany(scores => scores).ToArray();

    private static IDataView Data(MLContext ml)
    {
        var random = new SplitMix64(3);
        return ml.Data.LoadFromEnumerable(Enumerable.Range(0, 120).Select(i => new Row
        {
            Features = [(float)random.NextDouble() + (i % 3), (float)random.NextDouble()],
            Label = $"class {i % 3}",
            IsFirst = i % 3 == 0,
            Value = i % 7,
            Group = $"group {i / 4}",
        }).ToArray());
    }

    private sealed class ReadOnly
    {
        public ReadOnly()
        {
        }

        public ReadOnly(int value) => Value = value;

        public int Value { get; }
    }

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";

        public bool IsFirst { get; set; }

        public float Value { get; set; }

        public string Group { get; set; } = "";
    }
}
