using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.MetricLearning;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Verification of pairs and identification against a gallery.</summary>
[TestClass]
public sealed class VerificationTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly EmbeddingTransformer Model = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options()).Fit(EmbeddingSample.View(Ml, EmbeddingSample.Rows(20, 8, seed: 1)));
    private static readonly IDataView Unseen = Model.Transform(EmbeddingSample.View(Ml, EmbeddingSample.Rows(8, 10, seed: 2, first: 50)));
    private static readonly IDataView Pairs = Ml.MetricLearning.CreatePairs(Unseen);
    private static readonly VerificationTransformer Verifier = Ml.MetricLearning.Verify(falseAcceptRate: 0.05).Fit(Pairs);

    [ClassCleanup]
    public static void Free() => Model.Dispose();

    [TestMethod]
    public void Pairs_AreAllPairsInRandomOrder()
    {
        var labels = Pairs.GetColumn<bool>("Label").ToArray();
        Assert.HasCount(80 * 79 / 2, labels);
        Assert.AreEqual(8 * 10 * 9 / 2, labels.Count(isSame => isSame));
        Assert.IsTrue(labels.Take(316).Any(isSame => isSame) && labels.Take(316).Any(isSame => !isSame));
        Assert.AreEqual(60, Ml.MetricLearning.CreatePairs(Unseen, maximumPairs: 30).GetColumn<bool>("Label").Count());
    }

    [TestMethod]
    public void Threshold_AcceptsTheStatedShare()
    {
        var scored = Verifier.Transform(Pairs);
        var (same, accepted, distances) = (scored.GetColumn<bool>("Label").ToArray(), scored.GetColumn<bool>("PredictedLabel").ToArray(), scored.GetColumn<float>("Distance").ToArray());
        var different = Enumerable.Range(0, same.Length).Where(row => !same[row]).ToArray();
        Assert.AreEqual(0.05, different.Average(row => accepted[row] ? 1.0 : 0), 1.0 / different.Length);
        Assert.AreEqual(Enumerable.Range(0, same.Length).Where(row => same[row]).Average(row => accepted[row] ? 1.0 : 0), Verifier.Calibration.ValidationRate, 1e-9);
        var (first, second) = (scored.GetColumn<float[]>("First").First(), scored.GetColumn<float[]>("Second").First());
        Assert.AreEqual(first.Zip(second, (a, b) => (a - b) * (a - b)).Sum(), distances[0], 1e-5);
        Assert.AreEqual(new VerificationResult(distances[0], accepted[0], scored.GetColumn<float>("Probability").First()), Verifier.Compare(first, second));
        Assert.AreEqual(Ml.MetricLearning.EvaluatePairs(Pairs).AreaUnderRocCurve, Ml.MetricLearning.EvaluateDistances(scored).AreaUnderRocCurve);
    }

    [TestMethod]
    public void Probability_IsTheLogisticCurveOfBestFit()
    {
        double[] same = [0.1, 0.2, 0.3, 0.8], different = [0.5, 0.9, 1.1, 1.4, 1.5, 1.9, 2.0];
        var (slope, offset) = CalibrationFit.FitCurve(same, different);
        var best = Loss(slope, offset);
        foreach (var (a, b) in new[] { (0.01, 0.0), (-0.01, 0), (0, 0.01), (0, -0.01), (0.01, -0.01) })
            Assert.IsGreaterThan(best, Loss(slope + a, offset + b));
        Assert.IsGreaterThan(0, slope);
        var (steep, _) = CalibrationFit.FitCurve([0.1, 0.2], [1.5, 1.6]);
        Assert.IsTrue(double.IsFinite(steep), "separable pairs");

        // Cross entropy with Platt's targets, and the small penalty that keeps the curve finite.
        double Loss(double a, double b) => Mean(same, 5.0 / 6, a, b) + Mean(different, 1.0 / 9, a, b) + (0.5e-6 * ((a * a) + (b * b)));

        static double Mean(double[] distances, double target, double a, double b) => distances.Average(d =>
        {
            var p = 1 / (1 + Math.Exp((a * d) + b));
            return -(target * Math.Log(p)) - ((1 - target) * Math.Log(1 - p));
        });
    }

    [TestMethod]
    public void SavedVerifier_SaysTheSame()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "verify.zip");
        Ml.Model.Save(Verifier, Pairs.Schema, path);
        using var loaded = (VerificationTransformer)new MLContext().Model.Load(path, out _);
        Assert.AreEqual(Verifier.Calibration.Threshold, loaded.Calibration.Threshold);
        Assert.AreEqual(Verifier.Calibration.ToString(), loaded.Calibration.ToString());
        CollectionAssert.AreEqual(Verifier.Transform(Pairs).GetColumn<float>("Probability").ToArray(), loaded.Transform(Pairs).GetColumn<float>("Probability").ToArray());
    }

    [TestMethod]
    public void WithModel_ComparesTwoColumnsOfFeatures()
    {
        var rows = EmbeddingSample.Rows(6, 6, seed: 3, first: 60);
        var pairs = rows.SelectMany(a => rows.Where(b => !ReferenceEquals(a, b)).Select(b => new FeaturePair { Passport = a.Features, Photo = b.Features, Label = a.Label == b.Label })).ToArray();
        var data = Ml.Data.LoadFromEnumerable(pairs);
        using var verifier = Ml.MetricLearning.Verify(new VerificationEstimator.Options { Model = Model, FirstColumnName = "Passport", SecondColumnName = "Photo", FalseAcceptRate = 0.1 }).Fit(data);
        var distances = verifier.Transform(data).GetColumn<float>("Distance").ToArray();
        Assert.AreEqual(verifier.Compare(Model.Embed(pairs[7].Passport), Model.Embed(pairs[7].Photo)).Distance, distances[7], 1e-5);
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "verify.zip");
        Ml.Model.Save(verifier, data.Schema, path);
        using var loaded = (VerificationTransformer)Ml.Model.Load(path, out _);
        using var engine = Ml.Model.CreatePredictionEngine<FeaturePair, Verified>(loaded, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.AreEqual(distances[7], engine.Predict(pairs[7]).Distance, 1e-5);
        Assert.AreEqual(distances[8], engine.Predict(pairs[8]).Distance, 1e-5, "the next row is another one");
    }

    [TestMethod]
    public void Gallery_FindsPeople_AndNobodyForStrangers()
    {
        var names = Unseen.GetColumn<ReadOnlyMemory<char>>("Name").Select(name => name.ToString()).ToArray();
        var embeddings = Unseen.GetColumn<float[]>("Embedding").ToArray();
        var identifier = Ml.MetricLearning.Identify(Verifier.Calibration, labelColumnName: "Name").Fit(Unseen);
        Assert.HasCount(8, identifier.People);
        Assert.AreEqual(80, identifier.Count);
        var found = identifier.Identify(embeddings[13]);
        Assert.AreEqual(names[13], found.Name);
        Assert.AreEqual(0, found.Candidates[0].Distance);
        Assert.HasCount(3, found.Candidates.Select(candidate => candidate.Name).Distinct());
        Assert.AreEqual(10, identifier.Remove(names[13]));
        Assert.AreEqual(0, identifier.Remove("nobody"));
        Assert.AreNotEqual(names[13], identifier.Identify(embeddings[13]).Candidates[0].Name);
        identifier.Threshold = 0;
        Assert.IsNull(identifier.Identify(embeddings[13]).Name, "a stranger");
        identifier.Threshold = Verifier.Calibration.Threshold;
        identifier.Add(names[13], embeddings[13]);
        Assert.AreEqual(names[13], identifier.Identify(embeddings[13]).Name);
    }

    [TestMethod]
    public void Gallery_IsSavedWithTheModel()
    {
        var identifier = Ml.MetricLearning.Identify(Verifier.Calibration, labelColumnName: "Name").Fit(Unseen);
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "identify.zip");
        Ml.Model.Save(identifier, Unseen.Schema, path);
        var loaded = (IdentificationTransformer)new MLContext().Model.Load(path, out _);
        var (before, after) = (identifier.Transform(Unseen), loaded.Transform(Unseen));
        CollectionAssert.AreEqual(Texts(before), Texts(after));
        CollectionAssert.AreEqual(before.GetColumn<float>("Confidence").ToArray(), after.GetColumn<float>("Confidence").ToArray());
        CollectionAssert.AreEqual(before.GetColumn<float[]>("Distances").First(), after.GetColumn<float[]>("Distances").First());
        CollectionAssert.AreEqual(identifier.People.ToArray(), loaded.People.ToArray());

        static string[] Texts(IDataView data) => data.GetColumn<string>("PredictedLabel").ToArray();
    }

    [TestMethod]
    public void EmbeddingsOfAnotherNetwork_AreRefused()
    {
        using var other = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => (o.Seed, o.Epochs) = (99, 1))).Fit(EmbeddingSample.View(Ml, EmbeddingSample.Rows(20, 8, seed: 1)));
        Assert.AreNotEqual(Model.Fingerprint, other.Fingerprint);
        var wrong = other.Transform(EmbeddingSample.View(Ml, EmbeddingSample.Rows(8, 10, seed: 2, first: 50)));
        var identifier = Ml.MetricLearning.Identify(Verifier.Calibration, labelColumnName: "Name").Fit(Unseen);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => identifier.Transform(wrong)).Message, "another network");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => identifier.AddRange(wrong, "Name")).Message, "another network");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Identify(Verifier.Calibration).Fit(wrong)).Message, "another network");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Verifier.Transform(Ml.MetricLearning.CreatePairs(wrong))).Message, "another network");
    }

    /// <summary>The calibration knows which column is of the wrong network, also where the other one does not say.</summary>
    [TestMethod]
    public void ColumnOfAnotherNetwork_IsNamed()
    {
        using var other = Ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => (o.Seed, o.Epochs, o.OutputColumnName) = (99, 1, "Other"))).Fit(EmbeddingSample.View(Ml, EmbeddingSample.Rows(20, 8, seed: 1)));
        var both = other.Transform(Unseen);
        var data = Ml.Transforms.Concatenate("Unknown", "Embedding").Fit(both).Transform(both);
        foreach (var (first, second) in new[] { ("Embedding", "Other"), ("Other", "Embedding"), ("Unknown", "Other"), ("Other", "Unknown") })
        {
            var verify = Ml.MetricLearning.Verify(new VerificationEstimator.Options { Calibration = Verifier.Calibration, FirstColumnName = first, SecondColumnName = second });
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => verify.Fit(data)).Message, "Column 'Other' has embeddings of another network");
        }
    }

    [TestMethod]
    public void Compare_SaysWhichEmbeddingHasTheWrongSize()
    {
        var verifier = Ml.MetricLearning.Verify(new VerificationEstimator.Options { Model = Model, FirstColumnName = "Features", SecondColumnName = "Others", Calibration = Verifier.Calibration })
            .Fit(Ml.Transforms.CopyColumns("Others", "Features").Fit(Unseen).Transform(Unseen));
        var first = Assert.ThrowsExactly<ArgumentException>(() => verifier.Compare(new float[8], new float[4]));
        StringAssert.Contains(first.Message, "The first embedding has 8 values; those of the network have 4");
        Assert.AreEqual("first", first.ParamName);
        Assert.AreEqual("second", Assert.ThrowsExactly<ArgumentException>(() => verifier.Compare(new float[4], [])).ParamName);
        Assert.AreEqual(0, verifier.Compare(new float[4], new float[4]).Distance);
    }

    [TestMethod]
    public void BadInput_IsRefused()
    {
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.Verify(falseAcceptRate: 0)).Message, "FalseAcceptRate is 0");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.Verify(firstColumnName: "Second")).Message, "both 'Second'");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.Verify(falseAcceptRate: 1e-5).Fit(Pairs)).Message, "needs at least 100000");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.MetricLearning.Identify(calibration: null!)).Message, "Calibration");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Verifier.Compare([1, 0], [1])).Message, "The first embedding has 2 values and the second one 1");
        Assert.ThrowsExactly<FormatException>(() => Verifier.Compare([1, 0], [1, float.NaN]));
        var identifier = Ml.MetricLearning.Identify(Verifier.Calibration, labelColumnName: "Name").Fit(Unseen);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => identifier.Add("new", [1])).Message, "'new' has 1 values; those of the gallery have 4");
        Assert.ThrowsExactly<ArgumentException>(() => identifier.Add(" ", new float[4]));
        Assert.ThrowsExactly<FormatException>(() => identifier.Add("new", [1, 2, 3, float.PositiveInfinity]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => identifier.Threshold = double.NaN);
    }

    private sealed class FeaturePair
    {
        [VectorType(EmbeddingSample.Width)]
        public float[] Passport { get; set; } = [];

        [VectorType(EmbeddingSample.Width)]
        public float[] Photo { get; set; } = [];

        public bool Label { get; set; }
    }

    private sealed class Verified
    {
        public float Distance { get; set; }
    }
}
