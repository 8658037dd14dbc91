using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Generative;

/// <summary>Modes covered, high quality and reverse Kullback-Leibler divergence, against numbers worked out by hand.</summary>
[TestClass]
public sealed class ModeTests
{
    private static readonly float[][] Corners = [[0, 0], [10, 0], [0, 10], [10, 10]];

    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Mixture_CountsRowsWithinThreeDeviations()
    {
        // Two at the first corner, one of them at 2.9 deviations; one at the second; one at 3.1 deviations of the third.
        var metrics = Evaluate([[0, 0], [0, 1.45f], [10, 0.1f], [0, 11.55f]]);
        Assert.AreEqual((4, 2, 4L), (metrics.NumberOfModes, metrics.NumberOfCoveredModes, metrics.NumberOfRows));
        Assert.AreEqual(0.75, metrics.HighQualityShare);
        // Of high quality: 2/3 and 1/3 against 1/4 each. All: 1/2, 1/4, 1/4.
        Assert.AreEqual((2 / 3.0 * Math.Log(8 / 3.0)) + (1 / 3.0 * Math.Log(4 / 3.0)), metrics.ReverseKullbackLeibler, 1e-12);
        Assert.AreEqual(0.5 * Math.Log(2), metrics.ReverseKullbackLeiblerOfAllRows, 1e-12);
        Assert.AreEqual(3 / 6.0, metrics.ReverseKullbackLeiblerByChance, 1e-12);
        CollectionAssert.AreEqual(new[] { (2L, 2L), (1, 1), (0, 1), (0, 0) }, metrics.Modes.Select(mode => (mode.NumberOfHighQualityRows, mode.NumberOfRows)).ToArray());
        CollectionAssert.AreEqual(new[] { "0", "1", "2", "3" }, metrics.Modes.Select(mode => mode.Name).ToArray());
    }

    /// <summary>A perfect spread is 0, a collapse to one mode the logarithm of their number, whatever the quality says.</summary>
    [TestMethod]
    public void Collapse_IsSeenInTheDivergence()
    {
        Assert.AreEqual(0, Evaluate([.. Corners, .. Corners]).ReverseKullbackLeibler, 1e-12);
        var collapsed = Evaluate([Corners[2], Corners[2], Corners[2]]);
        Assert.AreEqual((1, 1.0), (collapsed.NumberOfCoveredModes, collapsed.HighQualityShare));
        Assert.AreEqual(Math.Log(4), collapsed.ReverseKullbackLeibler, 1e-12);
    }

    [TestMethod]
    public void NothingOfQuality_HasNoDivergence()
    {
        var metrics = Evaluate([[5, 5.1f], [5, 5.1f]]);
        Assert.AreEqual((0, 0.0), (metrics.NumberOfCoveredModes, metrics.HighQualityShare));
        Assert.IsTrue(double.IsNaN(metrics.ReverseKullbackLeibler));
        Assert.AreEqual(Math.Log(4), metrics.ReverseKullbackLeiblerOfAllRows, 1e-12);
    }

    [TestMethod]
    public void Frequencies_NeedNotBeUniform()
    {
        var metrics = Evaluate([[0, 0], [10, 0]], [3, 1, 0, 0]);
        Assert.AreEqual((2, 2), (metrics.NumberOfModes, metrics.NumberOfCoveredModes));
        Assert.AreEqual(0.5 * Math.Log(0.5 / 0.75) + 0.5 * Math.Log(0.5 / 0.25), metrics.ReverseKullbackLeibler, 1e-12);
        Assert.IsTrue(double.IsPositiveInfinity(Evaluate([[0, 0], [0, 10]], [3, 1, 0, 0]).ReverseKullbackLeibler), "a row in a mode that must not be");
    }

    /// <summary>Three digits as in stacked MNIST: 1,000 modes by the names of keys.</summary>
    [TestMethod]
    public void Modes_AreCombinationsOfClasses()
    {
        var data = Triples([("3", "0", "7"), ("3", "0", "7"), ("0", "3", "7"), ("9", "9", "9")]);
        var metrics = _ml.GenerativeModels.EvaluateModes(data, ["Red", "Green", "Blue"]);
        Assert.AreEqual((1000, 3, 1.0), (metrics.NumberOfModes, metrics.NumberOfCoveredModes, metrics.HighQualityShare));
        Assert.AreEqual((0.5 * Math.Log(500)) + (0.5 * Math.Log(250)), metrics.ReverseKullbackLeibler, 1e-12);
        Assert.AreEqual(2, metrics.Modes.Single(mode => mode.Name == "3/0/7").NumberOfRows);
        Assert.AreEqual(999 / 8.0, metrics.ReverseKullbackLeiblerByChance, 1e-12);
        var one = _ml.GenerativeModels.EvaluateModes(data, ["Green"]);
        Assert.AreEqual((10, 3), (one.NumberOfModes, one.NumberOfCoveredModes));
    }

    /// <summary>Keys that stand for the same in another order are the same classes.</summary>
    [TestMethod]
    public void RealRows_GiveTheFrequenciesByName()
    {
        var real = Keys(["cat", "dog", "dog", "dog"]);
        var generated = Keys(["dog", "cat"]);
        var metrics = _ml.GenerativeModels.EvaluateModes(generated, ["Class"], real);
        Assert.AreEqual((2, 2), (metrics.NumberOfModes, metrics.NumberOfCoveredModes));
        Assert.AreEqual(0.5 * Math.Log(0.5 / 0.25) + 0.5 * Math.Log(0.5 / 0.75), metrics.ReverseKullbackLeibler, 1e-12);
        var given = _ml.GenerativeModels.EvaluateModes(generated, ["Class"], new Dictionary<string, double> { ["cat"] = 2, ["dog"] = 6 });
        Assert.AreEqual(metrics.ReverseKullbackLeibler, given.ReverseKullbackLeibler, 1e-12);
    }

    [TestMethod]
    public void MissingAndUnknownClasses_AreCounted()
    {
        var metrics = _ml.GenerativeModels.EvaluateModes(Keys(["dog", "", "cow", "dog"]), ["Class"], new Dictionary<string, double> { ["cat"] = 1, ["dog"] = 1 });
        Assert.AreEqual((3L, 1L, 1), (metrics.NumberOfRows, metrics.RowsWithoutClass, metrics.NumberOfCoveredModes));
        Assert.AreEqual(2 / 3.0, metrics.HighQualityShare, 1e-12);
        Assert.AreEqual(Math.Log(2), metrics.ReverseKullbackLeibler, 1e-12);
        Assert.IsTrue(double.IsPositiveInfinity(metrics.ReverseKullbackLeiblerOfAllRows));
    }

    private ModeMetrics Evaluate(float[][] rows, double[]? frequencies = null) =>
        _ml.GenerativeModels.EvaluateMixture(GenerativeSample.View(_ml, rows), Corners, standardDeviation: 0.5, frequencies: frequencies);

    private IDataView Triples((string Red, string Green, string Blue)[] rows)
    {
        var data = _ml.Data.LoadFromEnumerable(rows.Select(row => new Triple { Red = row.Red, Green = row.Green, Blue = row.Blue }));
        var digits = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 10).Select(digit => new Triple { Red = $"{digit}" }));
        return new[] { "Red", "Green", "Blue" }.Aggregate(data, (view, name) => _ml.Transforms.Conversion.MapValueToKey(name, keyData: _ml.Transforms.SelectColumns("Red").Fit(digits).Transform(digits)).Fit(view).Transform(view));
    }

    private IDataView Keys(string[] classes)
    {
        var data = _ml.Data.LoadFromEnumerable(classes.Select(name => new Named { Class = name }));
        return _ml.Transforms.Conversion.MapValueToKey("Class").Fit(data).Transform(data);
    }

    private sealed class Triple
    {
        public string Red { get; set; } = "";

        public string Green { get; set; } = "";

        public string Blue { get; set; } = "";
    }

    private sealed class Named
    {
        public string Class { get; set; } = "";
    }
}
