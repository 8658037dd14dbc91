using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.HiddenMarkov;

/// <summary>Options and data that cannot be: exceptions at once, which say where and what would be right.</summary>
[TestClass]
public sealed class HiddenMarkovBadInputTests
{
    private static readonly MLContext Ml = MarkovSample.Ml;

    private static IEnumerable<(Action<GaussianMixtureHiddenMarkovEstimator.Options> Change, string Expected)> BadOptions =>
    [
        (options => options.NumbersOfStates = [], "NumbersOfStates is empty"),
        (options => options.NumbersOfStates = [2, 0], "NumbersOfStates[1] is 0"),
        (options => options.NumbersOfStates = [2, 2], "NumbersOfStates has a number twice"),
        (options => options.NumberOfStarts = 0, "NumberOfStarts is 0"),
        (options => options.MaximumIterations = 0, "MaximumIterations is 0; it must be at least 1, or 0 with InitialParameters"),
        (options => options.Tolerance = double.NaN, "Tolerance is NaN"),
        (options => options.ValidationFraction = 1, "ValidationFraction is 1"),
        (options => options.TransitionPseudoCount = -1, "TransitionPseudoCount is -1"),
        (options => options.CovarianceFloor = 0, "CovarianceFloor is 0"),
        (options => options.Covariance = (CovarianceKind)9, "Covariance is 9"),
        (options => options.NumberOfComponents = 0, "NumberOfComponents is 0"),
        (options => options.ThreadCount = 0, "ThreadCount is 0"),
        (options => options.ObservationColumnName = " ", "ObservationColumnName is empty"),
        (options => options.LogLikelihoodColumnName = "PredictedState", "PredictedStateColumnName and LogLikelihoodColumnName are all 'PredictedState'"),
        (options => options.FixedStart = true, "FixedStart is true, but there are no InitialParameters"),
        (options => (options.InitialParameters, options.NumbersOfStates) = (MarkovSample.Weather, [3]), "NumbersOfStates is 3, but InitialParameters have 2 states"),
    ];

    [TestMethod]
    public void BadOption_IsNamed()
    {
        foreach (var (change, expected) in BadOptions)
        {
            var options = new GaussianMixtureHiddenMarkovEstimator.Options { NumbersOfStates = [2] };
            change(options);
            Assert.Contains(expected, Assert.Throws<ArgumentException>(() => Ml.HiddenMarkovModels.Trainers.GaussianMixture(options)).Message);
        }
        var discrete = new DiscreteHiddenMarkovEstimator.Options { NumbersOfStates = [2], EmissionFloor = 1 };
        Assert.Contains("EmissionFloor is 1", Assert.Throws<ArgumentException>(() => Ml.HiddenMarkovModels.Trainers.Discrete(discrete)).Message);
        (discrete.EmissionFloor, discrete.SymbolNames) = (0, ["a", "a"]);
        Assert.Contains("SymbolNames must be different texts", Assert.Throws<ArgumentException>(() => Ml.HiddenMarkovModels.Trainers.Discrete(discrete)).Message);
    }

    [TestMethod]
    public void BadColumn_IsNamed()
    {
        var (discrete, gaussian) = (Ml.HiddenMarkovModels.Trainers.Discrete(2), Ml.HiddenMarkovModels.Trainers.Gaussian(2));
        Assert.Contains("Sequence column 'Sequence' is not in the data", Message(() => discrete.Fit(Ml.Data.LoadFromEnumerable(new[] { new OnlyText() }))));
        Assert.Contains("set the name of the sequence column to null", Message(() => discrete.Fit(Ml.Data.LoadFromEnumerable(new[] { new OnlyText() }))));
        Assert.Contains("Observation column 'Observation' has type", Message(() => discrete.Fit(MarkovSample.Vectors())));
        Assert.Contains("Symbols are for Discrete", Message(() => gaussian.Fit(MarkovSample.Texts("ab"))));
        Assert.Contains("Numbers are for Gaussian", Message(() => Ml.HiddenMarkovModels.Trainers.Discrete(2, sequenceColumnName: null).Fit(Ml.Data.LoadFromEnumerable(new[] { new TrainingTests.NumberRow() }))));
        Assert.Contains("Label column 'State' has type", Message(() => Ml.HiddenMarkovModels.Trainers.Discrete(new DiscreteHiddenMarkovEstimator.Options { LabelColumnName = "State" }).Fit(MarkovSample.Texts("ab"))));
        var trained = gaussian.Fit(MarkovSample.Vectors());
        var wide = Ml.Transforms.Concatenate("Observation", "Observation", "Observation").Fit(MarkovSample.Vectors()).Transform(MarkovSample.Vectors());
        Assert.Contains("Column 'Observation' has 4 values; the model has 2 features", Message(() => trained.LogLikelihood(wide)));
    }

    [TestMethod]
    public void SequenceThatIsTornApart_IsRefused()
    {
        var rows = MarkovSample.Rows("ab", "ab", "ab");
        (rows[4].Sequence, rows[5].Sequence) = ("0", "0");
        var data = Ml.Data.LoadFromEnumerable(rows);
        const string Expected = "Sequence column 'Sequence', row 4 (the first row is 0): the sequence '0' goes on after rows of other sequences";
        Assert.Contains(Expected, Assert.ThrowsExactly<FormatException>(() => Ml.HiddenMarkovModels.Trainers.Discrete(2).Fit(data)).Message);
        var model = TrainingTests.Fit(MarkovSample.Texts("ab", "ba"), _ => { });
        Assert.Contains(Expected, Assert.ThrowsExactly<FormatException>(() => model.Transform(data).GetColumn<uint>("PredictedState").Count()).Message);
        rows[4].Sequence = "";
        Assert.Contains("row 4 (the first row is 0): the value is missing", Assert.ThrowsExactly<FormatException>(() => Ml.HiddenMarkovModels.Trainers.Discrete(2).Fit(data)).Message);
    }

    [TestMethod]
    public void BadValues_AreNamed()
    {
        var rows = Enumerable.Range(0, 20).Select(MarkovSample.Vector).ToArray();
        rows[3].Observation[1] = float.PositiveInfinity;
        Assert.Contains("Column 'Observation', row 3 (the first row is 0): the value is ", Assert.ThrowsExactly<FormatException>(() => Ml.HiddenMarkovModels.Trainers.Gaussian(2).Fit(Ml.Data.LoadFromEnumerable(rows))).Message);
        Assert.Contains("There are no rows to train on", Message(() => Ml.HiddenMarkovModels.Trainers.Discrete(2).Fit(MarkovSample.Texts())));
        Assert.Contains("All 3 observations in column 'Observation' are missing", Message(() => Ml.HiddenMarkovModels.Trainers.Discrete(2).Fit(MarkovSample.Texts("   "))));
        Assert.Contains("The validation data has no observations", Message(() => Ml.HiddenMarkovModels.Trainers.Discrete(2).Fit(MarkovSample.Texts("ab"), MarkovSample.Texts(" "))));
        Assert.Contains("nothing can be held out", Message(() => TrainingTests.Fit(MarkovSample.Texts("a"), options => options.ValidationFraction = 0.5)));
        Assert.Contains("SymbolNames is set, but column 'Observation' has keys", Message(() => TrainingTests.Fit(TrainingTests.Keyed(MarkovSample.Rows("ab")), options => options.SymbolNames = ["a", "b"])));
        Assert.Contains("There are no rows to evaluate", Message(() => Ml.HiddenMarkovModels.Evaluate(TrainingTests.Fit(MarkovSample.Texts("ab"), _ => { }), MarkovSample.Texts())));
    }

    [TestMethod]
    public void InitialParameters_MustSuitTheData()
    {
        DiscreteHiddenMarkovEstimator.Options Options(HiddenMarkovParameters parameters, string? symbols) => new() { InitialParameters = parameters, SymbolNames = symbols?.Select(symbol => symbol.ToString()).ToArray() };
        Assert.Contains("whose order is not known; set SymbolNames", Message(() => Ml.HiddenMarkovModels.Trainers.Discrete(Options(MarkovSample.Weather, null)).Fit(MarkovSample.Texts("abc"))));
        Assert.Contains("the emissions are of 3 symbols; column 'Observation' has 2", Message(() => Ml.HiddenMarkovModels.Trainers.Discrete(Options(MarkovSample.Weather, "ab")).Fit(MarkovSample.Texts("ab"))));
        Assert.Contains("numbers need GaussianEmissions", Message(() => Ml.HiddenMarkovModels.Trainers.Gaussian(new GaussianHiddenMarkovEstimator.Options { InitialParameters = MarkovSample.Weather }).Fit(MarkovSample.Vectors())));
        var never = new HiddenMarkovParameters([1], new[,] { { 1.0 } }, new DiscreteEmissions(new[,] { { 1.0, 0 } }));
        Assert.Contains("Row 1 (the first row is 0): the observation is impossible", Assert.ThrowsExactly<FormatException>(() => Ml.HiddenMarkovModels.Trainers.Discrete(Options(never, "ab")).Fit(MarkovSample.Texts("ab"))).Message);
    }

    [TestMethod]
    public void SamplesThatFitIntoNoArray_AreRefused()
    {
        var model = MarkovSample.Known(MarkovSample.Weather, "wsc");
        Assert.Contains("3 sequences of 2147483647 rows do not fit into memory", Assert.Throws<ArgumentOutOfRangeException>(() => model.Sample(int.MaxValue, 0, 3)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Sample(0));
    }

    [TestMethod]
    public void BadParameters_AreRefused()
    {
        var emissions = new DiscreteEmissions(new[,] { { 0.5, 0.5 } });
        Assert.Contains("Start probabilities: the sum of row 0 (the first is 0) is 0.9; it must be 1", Message(() => new HiddenMarkovParameters([0.9], new[,] { { 1.0 } }, emissions)));
        Assert.Contains("Transitions: number 0 of row 0 (the first is 0) is -1", Message(() => new HiddenMarkovParameters([1], new[,] { { -1.0 } }, emissions)));
        Assert.Contains("The transitions are 1 x 2; with 1 start probabilities they must be 1 x 1", Message(() => new HiddenMarkovParameters([1], new[,] { { 0.5, 0.5 } }, emissions)));
        Assert.Contains("The emissions are of 1 states; there are 2", Message(() => new HiddenMarkovParameters([0.5, 0.5], new[,] { { 0.5, 0.5 }, { 0.5, 0.5 } }, emissions)));
        Assert.Contains("Emissions: number 1 of row 0 (the first is 0) is NaN", Message(() => new DiscreteEmissions(new[,] { { 1, double.NaN } })));
        Assert.Contains("Covariance 0 (the first is 0) is not positive definite", Message(() => new GaussianEmissions(new[,] { { 0.0, 0 } }, [new[,] { { 1.0, 2 }, { 2, 1 } }], CovarianceKind.Full)));
        Assert.Contains("is not of the kind Diagonal in row 0, column 1", Message(() => new GaussianEmissions(new[,] { { 0.0, 0 } }, [new[,] { { 1, 0.5 }, { 0.5, 1 } }], CovarianceKind.Diagonal)));
        Assert.Contains("Covariance 0 (the first is 0) has the variance 0", Message(() => new GaussianEmissions(new[,] { { 0.0 } }, [new[,] { { 0.0 } }], CovarianceKind.Spherical)));
        Assert.Contains("Tied covariances must all be the same", Message(() => new GaussianEmissions(new[,] { { 0.0 }, { 1 } }, [new[,] { { 1.0 } }, new[,] { { 2.0 } }], CovarianceKind.Tied)));
        Assert.Contains("Number 0 of row 0 (the first is 0) of the means is NaN", Message(() => new GaussianEmissions(new[,] { { double.NaN } }, [new[,] { { 1.0 } }], CovarianceKind.Full)));
    }

    private static string Message(Action action) => Assert.Throws<ArgumentException>(action).Message;

    private static string Message(Func<object> action) => Message(() => { action(); });

    private sealed class OnlyText
    {
        public string Observation { get; set; } = "a";
    }
}
