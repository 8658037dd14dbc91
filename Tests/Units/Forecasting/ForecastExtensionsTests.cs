using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Forecasting;

/// <summary>Forecasts from a model of any form: the transformer, a chain, a loaded model.</summary>
[TestClass]
public sealed class ForecastExtensionsTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly SeriesSample[] Rows = SeriesSample.Mixed(SeriesSample.Sine(60), SeriesSample.Sine(60, "b", level: 5, seed: 2));
    private static readonly float[] First = [.. Rows.Where(row => row.Series == "a").Select(row => row.Value)];
    private static readonly float[] Second = [.. Rows.Where(row => row.Series == "b").Select(row => row.Value)];

    [TestMethod]
    public void EverySeriesOfADataView_IsForecastFromItsEnd()
    {
        using var model = Forecaster().Fit(View(Rows));
        var expected = new[] { model.Forecast(First), model.Forecast(Second) };
        var forecasts = model.Forecast(View(Rows));
        CollectionAssert.AreEqual(new[] { "a", "b" }, forecasts.Select(forecast => forecast.Series).ToArray());
        for (var i = 0; i < 2; i++)
            Outcome.AssertClose(expected[i], [.. forecasts[i].Values], 1e-5);
        var several = model.Forecast([First, Second]);
        Outcome.AssertSameBits(expected[1], several[1]);
        // A series that is too short has no forecast; the others do.
        var withShort = model.Forecast(View([.. Rows, .. SeriesSample.Sine(4, "short")]));
        Assert.IsTrue(withShort[2].Values.All(float.IsNaN));
        Outcome.AssertClose(expected[0], [.. withShort[0].Values], 1e-5);
        Assert.Contains("too short", Assert.Throws<ArgumentException>(() => model.Forecast(View(SeriesSample.Sine(4)))).Message);
        Assert.Contains("no rows", Assert.Throws<ArgumentException>(() => model.Forecast(View([]))).Message);
    }

    [TestMethod]
    public void Chain_AppliesItsOtherSteps()
    {
        var plain = Ml.Transforms.CopyColumns("Level", "Value").Append(SeriesSample.Forecaster(o => (o.InputColumnName, o.Epochs) = ("Level", 1)));
        var chain = plain.Fit(View(SeriesSample.Sine(60)));
        using var owned = chain.LastTransformer;
        Outcome.AssertClose(owned.Forecast(First), [.. chain.Forecast(View(SeriesSample.Sine(60)))[0].Values], 1e-5);
        // The values are given under the forecaster's column; a step before it that needs another one says so.
        Assert.Contains("data view", Assert.Throws<InvalidOperationException>(() => chain.Forecast(First)).Message);

        var shifted = Ml.Transforms.NormalizeMinMax("Value", fixZero: false).Append(SeriesSample.Forecaster(o => o.Epochs = 1)).Fit(View(SeriesSample.Sine(60)));
        using var second = shifted.LastTransformer;
        using var folder = new TemporaryFolder();
        Ml.Model.Save(shifted, View(Rows).Schema, folder.File("model.zip"));
        var loaded = Ml.Model.Load(folder.File("model.zip"), out _);
        var expected = shifted.Forecast(View(SeriesSample.Sine(60)))[0].Values.ToArray();
        Outcome.AssertClose(expected, shifted.Forecast(First), 1e-5);
        Outcome.AssertClose(expected, loaded.Forecast(First), 1e-5);
        Assert.AreNotEqual(expected[0], second.Forecast(First)[0], 1e-3);
        Assert.Contains("needs at least 12", Assert.Throws<ArgumentException>(() => loaded.Forecast([1f, 2f])).Message);
    }

    /// <summary>Only what the network reads must be there, in a lone forecaster and in a chain, from an array and from a data view.</summary>
    [TestMethod]
    public void MissingValues_MatterInTheLastWindowOnly()
    {
        using var alone = SeriesSample.Forecaster(o => o.Epochs = 1).Fit(View(SeriesSample.Sine(60)));
        var chain = Ml.Transforms.CopyColumns("Copy", "Value").Fit(View(Rows)).Append(alone).Append(Ml.Transforms.CopyColumns("Later", "Forecast").Fit(alone.Transform(View(First.Select(value => new SeriesSample { Value = value })))));
        var expected = alone.Forecast(First);
        foreach (var model in new ITransformer[] { alone, chain })
        {
            foreach (var bad in new[] { float.NaN, float.PositiveInfinity })
            {
                foreach (var row in new[] { 0, 5, First.Length - SeriesSample.Period - 1 })
                {
                    var history = First.ToArray();
                    history[row] = bad;
                    Outcome.AssertClose(expected, model.Forecast(history), 1e-6);
                    Outcome.AssertClose(expected, [.. model.Forecast(Single(history))[0].Values], 1e-6);
                }
                foreach (var row in new[] { First.Length - SeriesSample.Period, First.Length - 1 })
                {
                    var history = First.ToArray();
                    history[row] = bad;
                    Assert.Contains($"{row}", Assert.Throws<FormatException>(() => model.Forecast(history)).Message);
                    Assert.Contains($"Column 'Value', row {row}", Assert.Throws<FormatException>(() => model.Forecast(Single(history))).Message);
                }
            }
        }
        // Each series has its own window; Transform forecasts after every row, so it needs every value.
        using var several = Forecaster().Fit(View(Rows));
        var forecasts = several.Forecast(View(Rows));
        var spoiled = Rows.Select((row, i) => new SeriesSample { Series = row.Series, Value = i is 0 or 7 ? float.NaN : row.Value }).ToArray();
        for (var i = 0; i < 2; i++)
            Outcome.AssertClose([.. forecasts[i].Values], [.. several.Forecast(View(spoiled))[i].Values], 1e-6);
        Assert.Contains("Column 'Value', row 0", Assert.Throws<FormatException>(() => SeriesSample.Forecasts(several.Transform(View(spoiled)))).Message);

        static IDataView Single(float[] history) => View(history.Select(value => new SeriesSample { Value = value }));
    }

    [TestMethod]
    public void MissingExtraInputs_MatterInTheLastWindowOnly()
    {
        var rows = SeriesSample.Signaled(60);
        using var model = SeriesSample.Forecaster(o => (o.ExtraColumnNames, o.Epochs) = (["Signal"], 1)).Fit(View(rows));
        var expected = model.Forecast(View(rows))[0].Values.ToArray();
        rows[3].Signal = float.NaN;
        Outcome.AssertClose(expected, [.. model.Forecast(View(rows))[0].Values], 1e-6);
        rows[59].Signal = float.NaN;
        Assert.Contains("'Signal', row 59", Assert.Throws<FormatException>(() => model.Forecast(View(rows))).Message);
    }

    [TestMethod]
    public void ModelWithoutForecaster_IsRefused()
    {
        var model = Ml.Transforms.CopyColumns("Copy", "Value").Fit(View(Rows));
        Assert.Contains("no forecasting network", Assert.Throws<ArgumentException>(() => ((ITransformer)model).Forecast(First)).Message);
    }

    [TestMethod]
    public void PredictionEngine_LeadsToForecast()
    {
        var chain = Ml.Transforms.CopyColumns("Copy", "Value").Append(SeriesSample.Forecaster(o => o.Epochs = 1)).Fit(View(SeriesSample.Sine(60)));
        using var owned = chain.LastTransformer;
        foreach (ITransformer model in new ITransformer[] { owned, chain })
            Assert.Contains("Forecast(history)", Outcome.Messages(Assert.Throws<Exception>(() => Ml.Model.CreatePredictionEngine<SeriesSample, Prediction>(model))));
    }

    [TestMethod]
    public void ShortSeries_AreSkippedAndCounted()
    {
        SeriesSample[] rows = [.. Rows, .. SeriesSample.Sine(14, "short")];
        using var model = Forecaster().Fit(View(rows));
        Assert.AreEqual(1, model.History.DataCounts["series that are too short"]);
        using var same = Forecaster().Fit(View(Rows));
        Outcome.AssertSameBits(SeriesSample.Weights(same), SeriesSample.Weights(model));
        Assert.Contains("'short' has 14 rows", Assert.Throws<ArgumentException>(() => Forecaster().Fit(View(SeriesSample.Sine(14, "short")))).Message);
        using var validated = SeriesSample.Forecaster(o => (o.GroupColumnName, o.Epochs, o.ValidationFraction) = ("Series", 1, 0.2)).Fit(View([.. Rows, .. SeriesSample.Sine(16, "brief")]));
        Assert.AreEqual(1, validated.History.DataCounts["series without a held-out part"]);
    }

    private static LstmForecastingEstimator Forecaster() => SeriesSample.Forecaster(o => (o.GroupColumnName, o.Epochs) = ("Series", 1));

    private static IDataView View(IEnumerable<SeriesSample> rows) => SeriesSample.View(rows);

    private sealed class Prediction
    {
        [VectorType(3)]
        public float[] Forecast { get; set; } = [];
    }
}
