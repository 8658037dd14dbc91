using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.HiddenMarkov;

/// <summary>EM: what it may never do, what it finds, and how starts are chosen.</summary>
[TestClass]
public sealed class TrainingTests
{
    private static readonly MLContext Ml = MarkovSample.Ml;

    public static IEnumerable<object[]> Kinds => Enum.GetValues<CovarianceKind>().SelectMany(kind => new[] { 1, 2 }, (kind, components) => new object[] { kind, components });

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void LogLikelihoodOfNumbers_NeverFalls(CovarianceKind kind, int components)
    {
        // The floor is high enough to hold in every iteration.
        foreach (var floor in new[] { 1e-4, 0.3 })
        {
            var model = Ml.HiddenMarkovModels.Trainers.GaussianMixture(new GaussianMixtureHiddenMarkovEstimator.Options { NumbersOfStates = [3], NumberOfComponents = components, Covariance = kind, CovarianceFloor = floor, NumberOfStarts = 3, Tolerance = 0, MaximumIterations = 30, RecoverDeadStates = false, Seed = TestSeed.Of(1) }).Fit(MarkovSample.Vectors());
            AssertRising(model.History);
            var gaussian = (GaussianEmissions)model.Parameters.Emissions;
            var variance = Enumerable.Range(0, 60).Select(t => (double)MarkovSample.Vector(t).Observation[0]).ToArray();
            var least = floor * variance.Select(value => Math.Pow(value - variance.Average(), 2)).Average();
            for (var place = 0; place < 3 * components && kind != CovarianceKind.Spherical; place++)
                Assert.IsGreaterThan(0.999999 * least, gaussian.Covariance(place / components, place % components)[0, 0]);
        }
    }

    [TestMethod]
    public void LogLikelihoodOfSymbols_NeverFalls_AndNoProbabilityIsBelowTheFloor()
    {
        foreach (var floor in new[] { 0, 1e-6, 0.02 })
        {
            var model = Fit(Casino(600), options => (options.EmissionFloor, options.Tolerance, options.MaximumIterations, options.RecoverDeadStates) = (floor, 0, 40, false), states: 3);
            AssertRising(model.History);
            Assert.IsGreaterThanOrEqualTo(floor, ((DiscreteEmissions)model.Parameters.Emissions).Probabilities.Cast<double>().Min());
        }
    }

    [TestMethod]
    public void LogSpace_FindsTheSame()
    {
        var data = Casino(400);
        var scaled = Fit(data, options => options.Tolerance = 0);
        var logs = Fit(data, options => (options.Tolerance, options.ComputeInLogSpace) = (0, true));
        AssertNear(scaled.Parameters.TransitionProbabilities, logs.Parameters.TransitionProbabilities, 1e-9);
        AssertNear(((DiscreteEmissions)scaled.Parameters.Emissions).Probabilities, ((DiscreteEmissions)logs.Parameters.Emissions).Probabilities, 1e-9);
        for (var i = 0; i < scaled.History.Epochs.Count; i++)
            Assert.AreEqual(scaled.History.Epochs[i].Training["log-likelihood"], logs.History.Epochs[i].Training["log-likelihood"], 1e-8);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Casino_IsFound()
    {
        var model = Fit(Casino(6000), options => (options.NumberOfStarts, options.MaximumIterations) = (5, 500));
        var emissions = ((DiscreteEmissions)model.Parameters.Emissions).Probabilities;
        var symbols = model.SymbolNames!.ToList();
        var six = symbols.IndexOf("6");
        var loaded = emissions[0, six] > emissions[1, six] ? 0 : 1;
        Floor.Near(0.5, emissions[loaded, six], 0.15, "a loaded six");
        Floor.Near(0.95, model.Parameters.TransitionProbabilities[1 - loaded, 1 - loaded], 0.06, "staying fair");
        Floor.Near(0.9, model.Parameters.TransitionProbabilities[loaded, loaded], 0.12, "staying loaded");
    }

    [TestMethod]
    public void KnownStates_AreCounted()
    {
        var rows = MarkovSample.Rows("aabb", "bba");
        foreach (var (row, state) in rows.Zip("xxyyyyx"))
            row.State = state.ToString();
        var data = Keyed(rows);
        var model = Fit(data, options => (options.LabelColumnName, options.NumbersOfStates, options.EmissionFloor) = ("State", [], 0));
        CollectionAssert.AreEqual(new[] { "x", "y" }, model.StateNames.ToArray());
        CollectionAssert.AreEqual(new[] { 0.5, 0.5 }, model.Parameters.StartProbabilities);
        AssertNear(new[,] { { 0.5, 0.5 }, { 1 / 3.0, 2 / 3.0 } }, model.Parameters.TransitionProbabilities, 1e-12);
        AssertNear(new double[,] { { 1, 0 }, { 0, 1 } }, ((DiscreteEmissions)model.Parameters.Emissions).Probabilities, 1e-12);
        Assert.AreEqual(StopReason.Converged, model.History.StopReason);
        Assert.AreEqual(7, model.History.DataCounts["known states"]);
        Assert.HasCount(1, model.Starts, "there is one optimum");
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void KnownAndUnknownStates_AreLearnedTogether()
    {
        // Forty known throws name the dice; the other 4,000 tell what they are like.
        var sample = Ml.Data.CreateEnumerable<MarkovSample.TextRow>(Ml.Transforms.Conversion.MapKeyToValue("State").Fit(Casino(4000)).Transform(Casino(4000)), reuseRowObject: false).ToArray();
        for (var i = 0; i < sample.Length; i++)
            sample[i].State = i % 100 == 0 ? sample[i].State == "state 1" ? "fair" : "loaded" : "";
        var model = Fit(Keyed(sample), options => (options.LabelColumnName, options.NumbersOfStates, options.MaximumIterations, options.NumberOfStarts) = ("State", [], 500, 5));
        var (fair, loaded) = (model.StateNames.ToList().IndexOf("fair"), model.StateNames.ToList().IndexOf("loaded"));
        var emissions = ((DiscreteEmissions)model.Parameters.Emissions).Probabilities;
        var six = model.SymbolNames!.ToList().IndexOf("6");
        Floor.Above(0.15, emissions[loaded, six] - emissions[fair, six], "sixes of the loaded die beyond those of the fair one");
    }

    [TestMethod]
    public void MoreStatesThanLabels_AreLearned_AndFewerRefused()
    {
        var rows = MarkovSample.Rows("aabbccaabbcc");
        foreach (var row in rows)
            row.State = row.Observation == "a" ? "A" : "";
        var model = Fit(Keyed(rows), options => (options.LabelColumnName, options.NumbersOfStates) = ("State", [3]));
        CollectionAssert.AreEqual(new[] { "A", "state 2", "state 3" }, model.StateNames.ToArray());
        Assert.IsGreaterThan(0.99, ((DiscreteEmissions)model.Parameters.Emissions).Probabilities[0, 0]);
        rows[2].State = "B";
        var error = Assert.ThrowsExactly<ArgumentException>(() => Fit(Keyed(rows), options => (options.LabelColumnName, options.NumbersOfStates) = ("State", [1])));
        Assert.Contains("NumbersOfStates has 1, but label column 'State' has 2 states", error.Message);
    }

    [TestMethod]
    public void MissingObservations_AreCounted_AndSayNothing()
    {
        var model = Fit(MarkovSample.Texts("ab ab", "b a"), options => options.NumberOfStarts = 1);
        Assert.AreEqual(2, model.History.DataCounts["missing observations"]);
        Assert.AreEqual(2, model.History.DataCounts["sequences"]);
        var row = model.Transform(MarkovSample.Texts("ab ab")).GetColumn<double>("LogLikelihood").ToArray();
        Assert.AreEqual(0, row[2], 1e-12);
        var vectors = Enumerable.Range(0, 60).Select(MarkovSample.Vector).ToArray();
        vectors[7].Observation[1] = float.NaN;
        Assert.AreEqual(1, Ml.HiddenMarkovModels.Trainers.Gaussian(2).Fit(Ml.Data.LoadFromEnumerable(vectors)).History.DataCounts["missing observations"]);
    }

    [TestMethod]
    public void SymbolsThatAreNotNamed_AreToldAndMissing()
    {
        var model = Fit(MarkovSample.Texts("abcab"), options => options.SymbolNames = ["b", "a"]);
        CollectionAssert.AreEqual(new[] { "b", "a" }, model.SymbolNames!.ToArray());
        Assert.Contains("1 of 5 observations in column 'Observation' are symbols that are not known", model.History.Warnings[0]);
        Assert.AreEqual(1, model.History.DataCounts["unknown symbols"]);
    }

    [TestMethod]
    public void DeadState_IsGivenANewBeginning()
    {
        var initial = new HiddenMarkovParameters([1, 0, 0], new[,] { { 0.5, 0.5, 0 }, { 0.5, 0.5, 0 }, { 0, 0, 1 } }, new DiscreteEmissions(new[,] { { 0.9, 0.1 }, { 0.1, 0.9 }, { 0.5, 0.5 } }));
        var data = MarkovSample.Texts("aaaabbbbaaaabbbbaaaaaabbb");
        DiscreteHiddenMarkovEstimator.Options Options(bool recover) => new() { InitialParameters = initial, SymbolNames = ["a", "b"], RecoverDeadStates = recover, Seed = 1, MaximumIterations = 20 };
        var recovered = Ml.HiddenMarkovModels.Trainers.Discrete(Options(recover: true)).Fit(data);
        Assert.AreEqual(1, recovered.Starts.Single().RecoveredStates);
        Assert.AreEqual(1, recovered.History.Epochs[0].Training["recovered states"]);
        Assert.IsGreaterThan(0, recovered.Parameters.TransitionProbabilities[0, 2]);
        Assert.Contains("new beginning", recovered.History.Warnings.Single(warning => warning.Contains("state")));
        var dead = Ml.HiddenMarkovModels.Trainers.Discrete(Options(recover: false)).Fit(data);
        AssertNear(new double[,] { { 0, 0, 1 } }, Row(dead.Parameters.TransitionProbabilities, 2), 0);
        Assert.AreEqual(0, dead.Parameters.TransitionProbabilities[0, 2]);
        Assert.IsTrue(dead.Parameters.TransitionProbabilities.Cast<double>().All(double.IsFinite));
    }

    /// <summary>What made hmmlearn fail: a constant feature and few rows (its issue 2), and an outlier (its test of underflow).</summary>
    [TestMethod]
    public void AwkwardNumbers_AreLearned()
    {
        float[][] rows =
        [
            [715, 585, 0, 0], [715, 520, 1.04705811f, -60.3696289f], [715, 455, 0.72088623f, -52.7055664f], [715, 390, -0.457946777f, -78.0605469f], [715, 325, -6.43127441f, -55.9834834f],
            [715, 260, -2.90063477f, -78.0220947f], [715, 195, 8.45532227f, -70.3294373f], [715, 130, 4.09387207f, -58.3621216f], [715, 65, -1.2166748f, -44.8131409f],
        ];
        var schema = SchemaDefinition.Create(typeof(FreeVector));
        schema[nameof(FreeVector.Observation)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 4);
        var data = Ml.Data.LoadFromEnumerable(rows.Select(row => new FreeVector { Observation = row }), schema);
        foreach (var kind in Enum.GetValues<CovarianceKind>())
        {
            var model = Ml.HiddenMarkovModels.Trainers.Gaussian(new GaussianHiddenMarkovEstimator.Options { NumbersOfStates = [3], SequenceColumnName = null, Covariance = kind, Seed = 1 }).Fit(data);
            Assert.IsTrue(double.IsFinite(model.LogLikelihood(data)), $"{kind}");
            Assert.Contains("Feature 0 (the first is 0) of column 'Observation' is always 715", model.History.Warnings[0]);
        }
        var random = new Random(TestSeed.Of(2));
        var numbers = Enumerable.Range(0, 400).Select(t => new NumberRow { Observation = t == 40 ? 10_000 : (float)((t / 100 % 2 * 5) + random.NextDouble()) });
        var initial = new HiddenMarkovParameters([0, 1], new[,] { { 0.4, 0.6 }, { 0.6, 0.4 } }, new GaussianEmissions(new[,] { { 0.0 }, { 5 } }, [new[,] { { 1.0 } }, new[,] { { 1.0 } }], CovarianceKind.Spherical));
        var outlier = Ml.HiddenMarkovModels.Trainers.Gaussian(new GaussianHiddenMarkovEstimator.Options { InitialParameters = initial, SequenceColumnName = null, Covariance = CovarianceKind.Spherical }).Fit(Ml.Data.LoadFromEnumerable(numbers));
        Assert.IsTrue(outlier.Parameters.TransitionProbabilities.Cast<double>().All(double.IsFinite));
        AssertRising(outlier.History);
    }

    [TestMethod]
    public void NumberOfStates_IsChosenByItsCriterion()
    {
        var clear = new HiddenMarkovParameters([0.5, 0.5], new[,] { { 0.9, 0.1 }, { 0.1, 0.9 } }, new DiscreteEmissions(new[,] { { 0.8, 0.1, 0.1 }, { 0.1, 0.1, 0.8 } }));
        var data = MarkovSample.Known(clear, "abc").Sample(1500, TestSeed.Of(3));
        var model = Fit(data, options => (options.NumbersOfStates, options.NumberOfStarts) = ([1, 2, 3], 3));
        Assert.AreEqual(2, model.NumberOfStates);
        Assert.HasCount(9, model.Starts);
        var chosen = model.Starts.Single(start => start.IsChosen);
        Assert.AreEqual(model.Starts.GroupBy(start => start.NumberOfStates).Min(group => group.MaxBy(start => start.LogLikelihood)!.BayesianInformationCriterion), chosen.BayesianInformationCriterion);
        // A start probability, two transitions and four symbols.
        Assert.AreEqual(7, chosen.Parameters);
        Assert.AreEqual((7 * Math.Log(1500)) - (2 * chosen.LogLikelihood), chosen.BayesianInformationCriterion, 1e-9);
        Assert.AreEqual(chosen.LogLikelihood, model.LogLikelihood(data), 1e-8);
    }

    [TestMethod]
    public void Starts_AreComparedOnWhatIsHeldOut()
    {
        var model = Fit(Casino(500), options => (options.NumberOfStarts, options.ValidationFraction) = (4, 0.4));
        var chosen = model.Starts.Single(start => start.IsChosen);
        Assert.AreEqual(model.Starts.Max(start => start.ValidationLogLikelihood), chosen.ValidationLogLikelihood);
        Assert.AreEqual(300, model.History.Epochs[0].Examples, "the end of the only sequence is held out");
        Assert.AreEqual(-chosen.ValidationLogLikelihood!.Value / 200, model.History.Epochs[^1].ValidationLoss!.Value, 1e-12);
        var several = Fit(MarkovSample.Texts("abab", "aabb", "abba", "bbbb", "ba"), options => (options.NumberOfStarts, options.ValidationFraction) = (2, 0.4));
        Assert.IsLessThan(16, several.History.Epochs[0].Examples);
        var given = Ml.HiddenMarkovModels.Trainers.Discrete(2).Fit(Casino(300), Casino(200, seed: 9));
        Assert.AreEqual(given.LogLikelihood(Casino(200, seed: 9)), given.Starts.Single(start => start.IsChosen).ValidationLogLikelihood!.Value, 1e-8);
    }

    [TestMethod]
    public void SameSeed_SameBits_OnAnyNumberOfThreads_AndStreamed()
    {
        var data = Casino(300);
        void Set(DiscreteHiddenMarkovEstimator.Options options) => (options.NumberOfStarts, options.ThreadCount, options.ValidationFraction) = (4, 1, 0.2);
        var first = Fit(data, Set);
        foreach (var other in new[] { Fit(data, options => { Set(options); options.ThreadCount = 3; }), Fit(data, options => { Set(options); options.Buffering = Buffering.Streaming; }) })
        {
            CollectionAssert.AreEqual(first.Parameters.TransitionProbabilities, other.Parameters.TransitionProbabilities);
            CollectionAssert.AreEqual(first.Starts.ToArray(), other.Starts.ToArray());
        }
        CollectionAssert.AreNotEqual(first.Parameters.TransitionProbabilities, Fit(data, options => { Set(options); options.Seed = 77; }).Parameters.TransitionProbabilities);
    }

    [TestMethod]
    public void FixedParts_AndZeros_Stay()
    {
        var initial = new HiddenMarkovParameters([1, 0], new[,] { { 0.8, 0.2 }, { 0, 1.0 } }, new DiscreteEmissions(new[,] { { 0.7, 0.3 }, { 0.4, 0.6 } }));
        HiddenMarkovParameters Learn(Action<DiscreteHiddenMarkovEstimator.Options> change)
        {
            var options = new DiscreteHiddenMarkovEstimator.Options { InitialParameters = initial, SymbolNames = ["a", "b"], MaximumIterations = 10, Seed = 1 };
            change(options);
            return Ml.HiddenMarkovModels.Trainers.Discrete(options).Fit(MarkovSample.Texts("aabab", "abbbb", "aaab")).Parameters;
        }

        var free = Learn(_ => { });
        CollectionAssert.AreEqual(new[] { 1.0, 0 }, free.StartProbabilities);
        Assert.AreEqual(0, free.TransitionProbabilities[1, 0], "a transition that is impossible stays so");
        Assert.AreNotEqual(0.8, free.TransitionProbabilities[0, 0]);
        CollectionAssert.AreEqual(initial.TransitionProbabilities, Learn(options => options.FixedTransitions = true).TransitionProbabilities);
        CollectionAssert.AreEqual(((DiscreteEmissions)initial.Emissions).Probabilities, ((DiscreteEmissions)Learn(options => options.FixedEmissions = true).Emissions).Probabilities);
        var prior = Learn(options => (options.StartPseudoCount, options.TransitionPseudoCount, options.EmissionPseudoCount) = (1, 1, 1));
        Assert.IsGreaterThan(0.1, prior.StartProbabilities[1]);
        Assert.IsGreaterThan(0.01, prior.TransitionProbabilities[1, 0]);
        CollectionAssert.AreEqual(initial.StartProbabilities, Learn(options => (options.FixedStart, options.StartPseudoCount) = (true, 1)).StartProbabilities);
    }

    [TestMethod]
    public void Training_CanBeWatched_AndCancelled()
    {
        var reports = new List<TrainingProgress>();
        Fit(Casino(200), options => (options.NumberOfStarts, options.Tolerance, options.MaximumIterations, options.Progress) = (1, 0, 7, new Watcher(reports.Add)));
        CollectionAssert.AreEqual(Enumerable.Range(1, 7).ToArray(), reports.Select(report => report.Epoch).ToArray());
        Assert.IsGreaterThan(reports[^1].TrainingLoss, reports[0].TrainingLoss);
        reports.Clear();
        Fit(Casino(200), options => (options.NumberOfStarts, options.Progress) = (5, new Watcher(reports.Add)));
        CollectionAssert.AreEquivalent(Enumerable.Range(1, 5).ToArray(), reports.Select(report => report.Epoch).ToArray());
        foreach (var starts in new[] { 1, 4 })
        {
            using var source = new CancellationTokenSource();
            Assert.Throws<OperationCanceledException>(() => Fit(Casino(200), options => (options.NumberOfStarts, options.Tolerance, options.MaximumIterations, options.ThreadCount, options.CancellationToken, options.Progress) = (starts, 0, 50, 1, source.Token, new Watcher(_ => source.Cancel()))));
        }
    }

    [TestMethod]
    public void SequencesOfOneObservation_AreLearned()
    {
        var model = Fit(MarkovSample.Texts("a", "b", "a", "a"), options => options.EmissionFloor = 0);
        Assert.IsTrue(model.Parameters.TransitionProbabilities.Cast<double>().All(double.IsFinite));
        // All that can be known is how often each symbol comes.
        Assert.AreEqual((3 * Math.Log(0.75)) + Math.Log(0.25), model.LogLikelihood(MarkovSample.Texts("a", "b", "a", "a")), 1e-3);
    }

    internal static IDataView Casino(int length, int seed = 3) =>
        MarkovSample.Known(MarkovSample.Casino, "123456").Sample(length, TestSeed.Of(seed));

    internal static HiddenMarkovTransformer Fit(IDataView data, Action<DiscreteHiddenMarkovEstimator.Options> change, int states = 2)
    {
        var options = new DiscreteHiddenMarkovEstimator.Options { NumbersOfStates = [states], NumberOfStarts = 2, MaximumIterations = 50, Seed = TestSeed.Of(1) };
        change(options);
        return Ml.HiddenMarkovModels.Trainers.Discrete(options).Fit(data);
    }

    internal static IDataView Keyed(IEnumerable<MarkovSample.TextRow> rows)
    {
        var data = Ml.Data.LoadFromEnumerable(rows);
        return Ml.Transforms.Conversion.MapValueToKey("State").Append(Ml.Transforms.Conversion.MapValueToKey("Observation")).Fit(data).Transform(data);
    }

    private static void AssertRising(TrainingHistory history)
    {
        var last = history.BeforeTraining!.Training["log-likelihood"];
        foreach (var epoch in history.Epochs)
        {
            Assert.IsGreaterThanOrEqualTo(last - (1e-9 * Math.Abs(last)), epoch.Training["log-likelihood"], $"epoch {epoch.Epoch}");
            last = epoch.Training["log-likelihood"];
        }
        Assert.IsGreaterThan(history.BeforeTraining.Training["log-likelihood"], last);
    }

    private static double[,] Row(double[,] values, int row)
    {
        var result = new double[1, values.GetLength(1)];
        for (var i = 0; i < result.Length; i++)
            result[0, i] = values[row, i];
        return result;
    }

    private static void AssertNear(double[,] expected, double[,] actual, double tolerance)
    {
        foreach (var (first, second) in expected.Cast<double>().Zip(actual.Cast<double>()))
            Assert.AreEqual(first, second, tolerance);
    }

    private sealed class Watcher(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    internal sealed class FreeVector
    {
        public float[] Observation { get; set; } = [];
    }

    internal sealed class NumberRow
    {
        public float Observation { get; set; }
    }
}
