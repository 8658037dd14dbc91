using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Forecasting;

/// <summary>What a forecaster learns.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class ForecastLearningTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>The seasonal-naive forecast has the noise of two values in it, a good one of one.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(RecurrentCell.Lstm, SeriesScaling.Global, ForecastLoss.Squared)]
    [DataRow(RecurrentCell.Gru, SeriesScaling.Window, ForecastLoss.Huber)]
    [DataRow(RecurrentCell.Rnn, SeriesScaling.Global, ForecastLoss.Absolute)]
    public void NoisySine_BetterThanSeasonalNaive(RecurrentCell cell, SeriesScaling scaling, ForecastLoss loss)
    {
        var rows = SeriesSample.Sine(1000, level: 50);
        using var model = SeriesSample.Forecaster(o => (o.Cell, o.Scaling, o.Loss, o.Epochs, o.LearningRateSchedule) = (cell, scaling, loss, 25, new CosineSchedule())).Fit(SeriesSample.View(rows[..500]));
        var metrics = Ml.Forecasting.EvaluateForecast(model.Transform(SeriesSample.View(rows[488..])), "Value", "Forecast", seasonLength: SeriesSample.Period);
        Assert.AreEqual(SeriesSample.Period - 1, metrics.MissingForecasts);
        Floor.Near(Math.Sqrt(2) * 0.1, metrics.Baseline.RootMeanSquaredError, 0.05, $"{cell} baseline");
        Floor.Below(1, metrics.Overall.RootMeanSquaredError / metrics.Baseline.RootMeanSquaredError, $"{cell}");
        Assert.HasCount(3, metrics.Steps);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void ExtraInput_DecidesTheNextValue()
    {
        var rows = SeriesSample.Signaled(400);
        double ErrorWith(string[] extra)
        {
            using var model = SeriesSample.Forecaster(o => (o.ExtraColumnNames, o.Horizon, o.WindowSize, o.Epochs) = (extra, 1, 3, 25)).Fit(SeriesSample.View(rows[..300]));
            return Ml.Forecasting.EvaluateForecast(model.Transform(SeriesSample.View(rows[300..])), "Value", "Forecast").Overall.MeanAbsoluteError;
        }
        Floor.Below(0.1, ErrorWith([nameof(SeriesSample.Signal)]), "with");
        Floor.Above(0.8, ErrorWith([]), "without");
    }

    /// <summary>Whatever rows of other series lie between, a series' forecasts are its own.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Groups_AreForecastApart()
    {
        var a = SeriesSample.Sine(200, "a");
        var b = SeriesSample.Sine(200, "b", level: 3, seed: 2);
        using var model = SeriesSample.Forecaster(o => (o.GroupColumnName, o.Epochs) = (nameof(SeriesSample.Series), 15)).Fit(SeriesSample.View(SeriesSample.Mixed(a, b)));
        var mixed = SeriesSample.Forecasts(model.Transform(SeriesSample.View(SeriesSample.Mixed(a, b))));
        var alone = SeriesSample.Forecasts(model.Transform(SeriesSample.View(b)));
        for (var row = SeriesSample.Period - 1; row < b.Length; row++)
            Outcome.AssertClose(alone[row], mixed[(2 * row) + 1], 1e-5);
        Assert.IsTrue(alone[10].All(float.IsNaN), "eleven rows are too few");
        Assert.IsFalse(alone[11].Any(float.IsNaN));
        Floor.Near(3, alone.Skip(11).Average(forecast => forecast[0]), 0.5, "each series keeps its level");
        Floor.Near(0, Enumerable.Range(11, 189).Average(row => mixed[2 * row][0]), 0.5, "the other, too");
    }

    /// <summary>Validation is the end of the series: training on the whole or on the part before it sees other numbers there only.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void ValidationFraction_IsTheEndOfTheSeries()
    {
        var rows = SeriesSample.Sine(200);
        var other = rows.Take(150).Concat(SeriesSample.Sine(50, level: 9, seed: 5)).ToArray();
        using var model = SeriesSample.Forecaster(o => (o.ValidationFraction, o.Scaling) = (0.25, SeriesScaling.Global)).Fit(SeriesSample.View(rows));
        using var changed = SeriesSample.Forecaster(o => (o.ValidationFraction, o.Scaling) = (0.25, SeriesScaling.Global)).Fit(SeriesSample.View(other));
        Outcome.AssertSameBits(SeriesSample.Weights(model), SeriesSample.Weights(changed));
        Floor.Above(5, changed.History.Epochs[0].Validation["mae"], "changed");
        Floor.Below(1, model.History.Epochs[^1].Validation["mae"], "as it was");
    }

    /// <summary>A model that goes on keeps the scale that its weights were learned on.</summary>
    [TestMethod]
    public void InitialModel_GoesOn()
    {
        using var model = SeriesSample.Forecaster().Fit(SeriesSample.View(SeriesSample.Sine(100)));
        var other = SeriesSample.View(SeriesSample.Sine(60, level: 4));
        using var same = SeriesSample.Forecaster(o => (o.InitialModel, o.Epochs) = (model, 0)).Fit(other);
        Outcome.AssertSameBits(SeriesSample.Weights(model), SeriesSample.Weights(same));
        Outcome.AssertSameComputation(SeriesSample.Forecasts(model.Transform(other))[^1], SeriesSample.Forecasts(same.Transform(other))[^1]);
    }

    /// <summary>
    /// Ten years of months with a trend and a season, by the short overload: the year after them is less than half as far off as last year
    /// repeated.
    /// </summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    public void TrendAndSeason_ByTheDefaults(int seed)
    {
        var random = new SplitMix64((ulong)TestSeed.Of(seed));
        var values = Enumerable.Range(0, 132).Select(i => (float)(1000 + (12 * i) + (150 * Math.Sin(2 * Math.PI * i / 12)) + (30 * (random.NextDouble() - 0.5)))).ToArray();
        var history = values[..120];
        using var model = new MLContext(TestSeed.Of(seed)).Forecasting.ForecastByLstm("Forecast", "Value", windowSize: 24, horizon: 12)
            .Fit(SeriesSample.View(history.Select(value => new SeriesSample { Value = value })));
        var forecast = model.Forecast(history);
        var error = forecast.Zip(values[120..], (made, actual) => Math.Abs(made - actual)).Average();
        var naive = values[108..120].Zip(values[120..], (last, actual) => Math.Abs(last - actual)).Average();
        Floor.Below(0.5, error / naive, $"seed {seed}");
    }
}
