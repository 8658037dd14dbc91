using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Forecasting;

/// <summary>The time column: order, gaps and doubles are checked for each series, in training, in forecasts and in evaluation.</summary>
[TestClass]
public sealed class ForecastTimeTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void EquallySpacedRows_AreTaken()
    {
        Fit(Daily(40)).Dispose();
        Fit(Rows(40, i => new DateTime(2020, 1, 31).AddMonths(i))).Dispose();
        Fit(Rows(40, i => new DateTime(2020, 1, 15, 6, 0, 0).AddMonths(3 * i))).Dispose();
        Fit(Rows(40, i => new DateTime(2000, 2, 29).AddYears(i))).Dispose();
        Fit(Rows(40, i => new DateTime(2020, 1, 1).AddMinutes(15 * i))).Dispose();
        Fit(Rows(40, i => default, i => 2000 + (i / 12f)), "Number").Dispose();
        // Two series, row by row, on days of their own.
        var two = Daily(40).Zip(Daily(40)).SelectMany(pair => new[] { pair.First, pair.Second with { Series = "b", Time = pair.Second.Time.AddDays(100) } }).ToArray();
        Fit(two, group: true).Dispose();
    }

    [TestMethod]
    public void UnorderedDoubleAndMissingRows_AreNamed()
    {
        AssertRefused(Daily(40).Reverse().ToArray(), "Time column 'Time', row 1 (the first row is 0), series 'a': the time is 2020-02-08, before 2020-02-09 in row 0");
        var twice = Daily(40);
        twice[20] = twice[20] with { Time = twice[19].Time };
        AssertRefused(twice, "Time column 'Time', row 20 (the first row is 0), series 'a': the time is 2020-01-20, as in row 19");
        AssertRefused(Daily(40).Where((_, i) => i != 10).ToArray(), "Time column 'Time', row 10 (the first row is 0), series 'a': the time is 2020-01-12, 2 days after 2020-01-10 in row 9", "TimeGapHandling.Allow");
        var missing = Daily(40);
        missing[3] = missing[3] with { Time = default };
        AssertRefused(missing, "row 3 (the first row is 0), series 'a': the time is missing");
        AssertRefused(Rows(40, i => new DateTime(2020, 1, 1).AddMonths(i < 20 ? i : i + 1)), "row 20 (the first row is 0), series 'a': the time is 2021-10-01");
    }

    [TestMethod]
    public void WorkingDays_CanBeAllowed()
    {
        var days = Enumerable.Range(0, 60).Select(i => new DateTime(2020, 1, 6).AddDays(i)).Where(day => day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday)).ToArray();
        var rows = Rows(days.Length, i => days[i]);
        AssertRefused(rows, "row 5");
        using var model = Fit(rows, change: o => o.TimeGapHandling = TimeGapHandling.Allow);
        Assert.AreEqual(8, model.History.DataCounts["gaps in time"]);
    }

    /// <summary>The model keeps the name, and checks the rows that have the column.</summary>
    [TestMethod]
    public void SavedModel_ChecksToo()
    {
        var rows = Daily(40);
        using var model = Fit(rows);
        using var folder = new TemporaryFolder();
        Ml.Model.Save(model, View(rows).Schema, folder.File("model.zip"));
        var loaded = Ml.Model.Load(folder.File("model.zip"), out _);
        using var owned = loaded as IDisposable;
        CollectionAssert.AreEqual(model.Forecast(View(rows))[0].Values.ToArray(), loaded.Forecast(View(rows))[0].Values.ToArray());
        Assert.Contains("before", Assert.Throws<FormatException>(() => loaded.Forecast(View(rows.Reverse().ToArray()))).Message);
        var plain = Ml.Data.LoadFromEnumerable(rows.Select(row => new SeriesSample { Value = row.Value }));
        CollectionAssert.AreEqual(model.Forecast(View(rows))[0].Values.ToArray(), loaded.Forecast(plain)[0].Values.ToArray());
        var scored = model.Transform(View(rows));
        Assert.IsGreaterThan(0, Ml.Forecasting.EvaluateForecast(scored, "Value", "Forecast", timeColumnName: "Time").ForecastCount);
        var other = Ml.Transforms.CopyColumns("Time", "Number").Fit(scored).Transform(scored);
        Assert.Contains("as in row 0", Assert.Throws<FormatException>(() => Ml.Forecasting.EvaluateForecast(other, "Value", "Forecast", timeColumnName: "Time")).Message);
        Assert.Contains("Time column 'Series' has type", Assert.Throws<ArgumentException>(() => Fit(rows, "Series")).Message);
        Assert.Contains("Time column 'Date' is not in the data", Assert.Throws<ArgumentException>(() => Fit(rows, "Date")).Message);
    }

    private static TimedRow[] Daily(int count) => Rows(count, i => new DateTime(2020, 1, 1).AddDays(i));

    private static TimedRow[] Rows(int count, Func<int, DateTime> time, Func<int, float>? number = null) =>
        [.. SeriesSample.Sine(count).Select((row, i) => new TimedRow(row.Value, time(i), number?.Invoke(i) ?? 0, "a"))];

    private static IDataView View(TimedRow[] rows) => Ml.Data.LoadFromEnumerable(rows);

    private static LstmForecastingTransformer Fit(TimedRow[] rows, string time = "Time", bool group = false, Action<LstmForecastingEstimator.Options>? change = null) => SeriesSample.Forecaster(o =>
    {
        (o.TimeColumnName, o.Epochs, o.HiddenUnits, o.GroupColumnName) = (time, 1, 2, group ? "Series" : null);
        change?.Invoke(o);
    }).Fit(View(rows));

    private static void AssertRefused(TimedRow[] rows, params string[] parts)
    {
        var message = Assert.Throws<FormatException>(() => Fit(rows, group: true)).Message;
        foreach (var part in parts)
            Assert.Contains(part, message);
    }

    private sealed record TimedRow(float Value, DateTime Time, float Number, string Series);
}
