using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Forecasting;

/// <summary>The errors of forecasts and of the seasonal-naive baseline, against numbers worked out by hand.</summary>
[TestClass]
public sealed class ForecastMetricsTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Errors_AreThoseOfTheRowsThatFollow()
    {
        // Row 0's forecast is of rows 1 and 2, row 1's of row 2 only; the last one has nothing after it.
        var metrics = Evaluate([Row(10, 12, 13), Row(11, 15, 99), Row(13, 0, 0)]);
        Assert.AreEqual(2, metrics.ForecastCount);
        Assert.AreEqual(3, metrics.Overall.Count);
        Assert.AreEqual((1 + 0 + 2) / 3.0, metrics.Overall.MeanAbsoluteError, 1e-9);
        Assert.AreEqual(Math.Sqrt(5 / 3.0), metrics.Overall.RootMeanSquaredError, 1e-9);
        Assert.AreEqual(((200.0 / 23) + 0 + (400.0 / 28)) / 3, metrics.Overall.SymmetricMeanAbsolutePercentageError, 1e-9);
        // The values change by 1 and 2, by 1.5 in the mean.
        Assert.AreEqual(1 / 1.5, metrics.Overall.MeanAbsoluteScaledError, 1e-9);
        Assert.AreEqual(1.5, metrics.Steps[0].MeanAbsoluteError, 1e-9);
        Assert.AreEqual(2, metrics.Steps[0].Count);
        Assert.AreEqual(0, metrics.Steps[1].MeanAbsoluteError, 1e-9);
        Assert.AreEqual(1, metrics.Steps[1].Count);
    }

    [TestMethod]
    public void Baseline_TheLastValueOrThatOfTheSameSeason()
    {
        Value[] rows = [Row(1, 0, 0, 0), Row(5, 0, 0, 0), Row(2, 0, 0, 0), Row(7, 0, 0, 0), Row(4, 0, 0, 0)];
        var last = Evaluate(rows);
        // From rows 0 to 3: |5-1| |2-1| |7-1|, |2-5| |7-5| |4-5|, |7-2| |4-2|, |4-7|.
        Assert.AreEqual(27 / 9.0, last.Baseline.MeanAbsoluteError, 1e-9);
        Assert.AreEqual((4 + 3 + 5 + 3) / 4.0, last.BaselineSteps[0].MeanAbsoluteError, 1e-9);
        var seasonal = Evaluate(rows, seasonLength: 2);
        // From row 0 only the second step has a value of its season; from row 1 on all have.
        // Row 0: 2-1. Row 1: 2-1, 7-5, 4-1. Row 2: 7-5, 4-2. Row 3: 4-2.
        Assert.AreEqual(7, seasonal.Baseline.Count);
        Assert.AreEqual((1 + 1 + 2 + 3 + 2 + 2 + 2) / 7.0, seasonal.Baseline.MeanAbsoluteError, 1e-9);
        Assert.AreEqual(7, seasonal.Overall.Count, "the same values are compared");
        Assert.AreEqual(3, seasonal.BaselineSteps[2].MeanAbsoluteError, 1e-9);
    }

    [TestMethod]
    public void Missing_AreLeftOutAndCounted()
    {
        var metrics = Evaluate([Row(1, float.NaN, 2), Row(2, 3, 4), Row(float.NaN, 5, 6), Row(4, 5, 6)]);
        Assert.AreEqual(1, metrics.MissingForecasts);
        Assert.AreEqual(1, metrics.MissingValues);
        // Row 1's second step is compared; row 2 has no value of its own for the baseline.
        Assert.AreEqual(1, metrics.Overall.Count);
        Assert.AreEqual(0, metrics.Overall.MeanAbsoluteError);
    }

    [TestMethod]
    public void Groups_AreSeriesOfTheirOwn()
    {
        Value[] a = [Row(1, 3), Row(2, 4), Row(3, 5)];
        Value[] b = [Row(100, 100), Row(102, 102), Row(104, 104)];
        var rows = a.Zip(b).SelectMany(pair => new[] { pair.First with { Series = "a" }, pair.Second with { Series = "b" } }).ToArray();
        var metrics = Evaluate(rows, group: nameof(Value.Series));
        Assert.AreEqual(4, metrics.ForecastCount);
        Assert.AreEqual((1 + 1 + 2 + 2) / 4.0, metrics.Overall.MeanAbsoluteError, 1e-9);
        Assert.AreEqual(1, metrics.Overall.MeanAbsoluteScaledError, 1e-9, "each series has a scale of its own");
    }

    [TestMethod]
    public void ConstantSeries_HasNoScale()
    {
        var metrics = Evaluate([Row(1, 2), Row(1, 2)]);
        Assert.AreEqual(1, metrics.Overall.MeanAbsoluteError);
        Assert.IsTrue(double.IsNaN(metrics.Overall.MeanAbsoluteScaledError));
        Assert.AreEqual((0, 1), (metrics.Overall.ScaledCount, metrics.UnscaledSeries));
    }

    /// <summary>One constant series among others is left out of the scaled error and counted; its other errors count.</summary>
    [TestMethod]
    public void ConstantSeries_IsLeftOutOfTheScaledError()
    {
        Value[] a = [Row(1, 3), Row(2, 4), Row(3, 5)];
        Value[] constant = [Row(7, 8), Row(7, 8), Row(7, 8)];
        var rows = a.Zip(constant).SelectMany(pair => new[] { pair.First with { Series = "a" }, pair.Second with { Series = "b" } }).ToArray();
        var metrics = Evaluate(rows, group: nameof(Value.Series));
        foreach (var errors in new[] { metrics.Overall, metrics.Steps[0] })
        {
            Assert.AreEqual((4, 2), (errors.Count, errors.ScaledCount));
            Assert.AreEqual(1, errors.MeanAbsoluteScaledError, 1e-9);
            Assert.AreEqual(1, errors.MeanAbsoluteError, 1e-9);
        }
        Assert.AreEqual(1, metrics.Baseline.MeanAbsoluteScaledError, 1e-9);
        Assert.AreEqual(1, metrics.BaselineSteps[0].MeanAbsoluteScaledError, 1e-9);
        Assert.AreEqual(1, metrics.UnscaledSeries);
    }

    [TestMethod]
    public void NothingToCompare_SaysWhy()
    {
        var error = Assert.Throws<ArgumentException>(() => Evaluate([Row(1, float.NaN), Row(2, 1)]));
        StringAssert.Contains(error.Message, "1 have a forecast with NaN");
    }

    [TestMethod]
    public void BadInput_IsNamed()
    {
        Value[] rows = [Row(1, 2), Row(2, 3)];
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Evaluate(rows, group: "Group")).Message, "'Group'");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.Forecasting.EvaluateForecast(View(rows), "Number", "Number")).Message, "Vector<Single>");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.Forecasting.EvaluateForecast(View(rows), "Forecast", "Forecast")).Message, "it must be Single");
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => Evaluate(rows, seasonLength: 0)).Message, "seasonLength is 0");
        var infinite = Assert.Throws<FormatException>(() => Evaluate([Row(1, 2), Row(2, float.PositiveInfinity)]));
        StringAssert.Contains(infinite.Message, "'Forecast', row 1 (the first row is 0), step 1");
        var nameless = Assert.Throws<FormatException>(() => Evaluate([rows[0] with { Series = "a" }, rows[1]], group: nameof(Value.Series)));
        StringAssert.Contains(nameless.Message, "'Series', row 1 (the first row is 0): the value is missing");
    }

    private static Value Row(float value, params float[] forecast) => new(value, forecast, "");

    private static IDataView View(Value[] rows)
    {
        var schema = SchemaDefinition.Create(typeof(Value));
        schema[nameof(Value.Forecast)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Forecast.Length);
        return Ml.Data.LoadFromEnumerable(rows, schema);
    }

    private static ForecastMetrics Evaluate(Value[] rows, int? seasonLength = null, string? group = null) =>
        Ml.Forecasting.EvaluateForecast(View(rows), nameof(Value.Number), nameof(Value.Forecast), group, seasonLength);

    private sealed record Value(float Number, float[] Forecast, string Series);
}
