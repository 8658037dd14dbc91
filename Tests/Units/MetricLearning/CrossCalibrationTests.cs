using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.MetricLearning;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Thresholds from trainings that leave out classes.</summary>
[TestClass]
public sealed class CrossCalibrationTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly IDataView Data = EmbeddingSample.View(Ml, EmbeddingSample.Rows(20, 6, seed: 1));
    private static readonly EmbeddingTransformer Model = Trainer().Fit(Data);

    [ClassCleanup]
    public static void Free() => Model.Dispose();

    /// <summary>Each class is left out of one training; what they say of distances belongs to the model that was trained on all.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void EachLeftOutClass_IsComparedWithAll()
    {
        // A chain that makes keys itself knows only those of the classes that it is given.
        var chain = Ml.Transforms.Conversion.MapValueToKey("Label", "Name").Append(Trainer());
        var calibration = Ml.MetricLearning.CrossCalibrate(Data, chain, Model, falseAcceptRate: 0.05, labelColumnName: "Name", numberOfFolds: 3);
        Assert.AreEqual(Model.Fingerprint, calibration.Fingerprint);
        Assert.AreEqual(20 * 6 * 5 / 2, calibration.NumberOfSamePairs, "every class in one part");
        // Parts of 7, 7 and 6 classes: pairs within a part, and with the other classes.
        Assert.AreEqual(36 * ((2 * (21 + (7 * 13))) + 15 + (6 * 14)), calibration.NumberOfDifferentPairs);
        var pairs = Ml.MetricLearning.CreatePairs(Model.Transform(EmbeddingSample.View(Ml, EmbeddingSample.Rows(8, 10, seed: 2, first: 50))));
        var verifier = Ml.MetricLearning.Verify(new VerificationEstimator.Options { Calibration = calibration }).Fit(pairs);
        Assert.AreEqual(calibration.Threshold, verifier.Calibration.Threshold);
        var accepted = verifier.Transform(pairs).GetColumn<bool>("PredictedLabel").Zip(pairs.GetColumn<bool>("Label")).Where(pair => !pair.Second).Average(pair => pair.First ? 1.0 : 0);
        Floor.Below(0.3, accepted, "false accepts of classes that no training had");
        Assert.AreEqual(calibration.Threshold, Ml.MetricLearning.CrossCalibrate(Data, chain, Model, falseAcceptRate: 0.05, labelColumnName: "Name", numberOfFolds: 3).Threshold, "the same seed");
    }

    /// <summary>Pairs, distances and threshold against a plain computation, with networks that say which classes they were trained on.</summary>
    [TestMethod]
    public void Distances_AreThoseOfNetworksThatDoNotKnowAClass()
    {
        var trained = new List<string[]>();
        var estimator = new Recording(Trainer(), data => trained.Add(data.GetColumn<string>("Name").Distinct().ToArray()));
        var calibration = Ml.MetricLearning.CrossCalibrate(Data, estimator, Model, falseAcceptRate: 0.05, labelColumnName: "Name", numberOfFolds: 4);
        var names = Data.GetColumn<string>("Name").ToArray();
        Assert.HasCount(6, trained, "four parts and two halves");
        CollectionAssert.AreEqual(new[] { 15, 15, 15, 15, 10, 10 }, trained.Select(classes => classes.Length).ToArray());
        foreach (var parts in new[] { trained.Take(4), trained.Skip(4) })
            CollectionAssert.AreEquivalent(names.Distinct().ToArray(), parts.SelectMany(classes => names.Distinct().Except(classes)).ToArray(), "each class is left out once");
        double[] limits = [Quantile(trained[4..]), Quantile(trained[..4])];
        Assert.AreEqual(limits[1] * CrossCalibration.Growth(limits[0], limits[1], 4), calibration.Threshold, 1e-6);

        double Quantile(IEnumerable<string[]> parts) => DistanceCalibration.ThresholdOf(parts.SelectMany(known =>
        {
            using var model = Trainer().Fit(Ml.Data.FilterByCustomPredicate<Named>(Data, row => !known.Contains(row.Name)));
            var rows = model.Transform(Data).GetColumn<float[]>("Embedding").ToArray();
            return from i in Enumerable.Range(0, rows.Length)
                   from j in Enumerable.Range(i + 1, rows.Length - i - 1)
                   where names[i] != names[j] && !(known.Contains(names[i]) && known.Contains(names[j]))
                   select (double)EmbeddingDistance.Squared(rows[i], rows[j]);
        }).Order().ToArray(), 0.05);
    }

    [TestMethod]
    public void Growth_IsThatOfThresholds()
    {
        // From a half to four fifths of the classes by half the power of their number.
        Assert.AreEqual(Math.Sqrt(1.25), CrossCalibration.Growth(0.1, 0.1 * Math.Sqrt(1.6), 5), 1e-9);
        Assert.AreEqual(1, CrossCalibration.Growth(0.2, 0.1, 5), "it does not fall");
        Assert.AreEqual(1.25, CrossCalibration.Growth(0.1, 0.9, 5), 1e-9, "at most in proportion to the classes");
        Assert.AreEqual(1.25, CrossCalibration.Growth(0, 0.1, 5), 1e-9, "a network that puts all at one place");
        Assert.AreEqual(1, CrossCalibration.Growth(0, 0, 5));
    }

    [TestMethod]
    public void TooFewClassesOrPairs_AreRefusedBeforeTraining()
    {
        Refused("has 3 classes; without one of 2 parts at least 2 must be left", EmbeddingSample.Rows(3, 6, seed: 1));
        Refused("has 2 classes; without one of 5 parts", EmbeddingSample.Rows(2, 6, seed: 1));
        Refused("Each class in column 'Label' has only one row", EmbeddingSample.Rows(30, 1, seed: 1));
        Refused("that rate needs at least 100000", EmbeddingSample.Rows(6, 3, seed: 1), falseAcceptRate: 1e-5);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.CrossCalibrate(Data, Trainer(), Model, numberOfFolds: 2)).Message, "numberOfFolds is 2");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.CrossCalibrate(Data, Trainer(), Model, labelColumnName: "Nothing")).Message, "Label column 'Nothing' is not in the data");
    }

    [TestMethod]
    public void StepThatLeavesOutRows_IsRefused()
    {
        var chain = new Recording(Trainer(), _ => { }, transformed => Ml.Data.TakeRows(transformed, 7));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.CrossCalibrate(Data, chain, Model)).Message, "The data has 120 rows, and 7 behind the estimator");
    }

    private static void Refused(string message, EmbeddingSample.Row[] rows, double falseAcceptRate = 0.1)
    {
        var never = new Recording(Trainer(), _ => Assert.Fail("a training began"));
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.CrossCalibrate(EmbeddingSample.View(Ml, rows), never, Model, falseAcceptRate)).Message, message);
    }

    private static DenseEmbeddingEstimator Trainer() => Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => o.Epochs = 10));

    private sealed class Named
    {
        public string Name { get; set; } = "";
    }

    /// <summary>An estimator that shows what it is trained on.</summary>
    private sealed class Recording(IEstimator<ITransformer> estimator, Action<IDataView> see, Func<IDataView, IDataView>? change = null) : IEstimator<ITransformer>
    {
        public ITransformer Fit(IDataView input)
        {
            see(input);
            var trained = estimator.Fit(input);
            return change == null ? trained : new Changed(trained, change);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => estimator.GetOutputSchema(inputSchema);
    }

    private sealed class Changed(ITransformer inner, Func<IDataView, IDataView> change) : ITransformer, IDisposable
    {
        public bool IsRowToRowMapper => false;

        public IDataView Transform(IDataView input) => change(inner.Transform(input));

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inner.GetOutputSchema(inputSchema);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public void Save(ModelSaveContext ctx) => throw new NotSupportedException();

        public void Dispose() => (inner as IDisposable)?.Dispose();
    }
}
