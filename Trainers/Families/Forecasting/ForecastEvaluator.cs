using System.Globalization;
using Microsoft.ML;

namespace MLExtensions.Families.Forecasting;

/// <summary>Compares forecasts with the actual values, and with the seasonal naive forecast of the same values.</summary>
internal sealed class ForecastEvaluator
{
    private readonly int _season;
    private readonly ErrorSums _overall = new();
    private readonly ErrorSums _baseline = new();
    private readonly ErrorSums[] _steps;
    private readonly ErrorSums[] _baselineSteps;
    private long _forecasts;
    private long _unscaledSeries;

    private ForecastEvaluator(int horizon, int season)
    {
        _season = season;
        _steps = Sums(horizon);
        _baselineSteps = Sums(horizon);
    }

    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there is nothing to compare.</exception>
    /// <exception cref="FormatException">A value or a forecast is infinite.</exception>
    public static ForecastMetrics Evaluate(IDataView data, string valueColumnName, string forecastColumnName, string? groupColumnName, int? seasonLength, string? timeColumnName)
    {
        var season = seasonLength ?? 1;
        if (season < 1)
            throw new ArgumentOutOfRangeException(nameof(seasonLength), seasonLength, FormattableString.Invariant($"{nameof(seasonLength)} is {seasonLength}; it must be at least 1, or null for the last value as the baseline."));
        var rows = ForecastRows.Read(data, valueColumnName, forecastColumnName, groupColumnName, timeColumnName);
        var evaluator = new ForecastEvaluator(rows.Horizon, season);
        foreach (var series in rows.Series)
            evaluator.Add(series);
        if (evaluator._forecasts == 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"There is nothing to compare: of {rows.RowCount} rows, {rows.MissingForecasts} have a forecast with NaN and {rows.MissingValues} have a NaN value. A forecast needs a later row of its series, and the baseline needs a row {season} rows before that one. Evaluate data with more history, or use a smaller {nameof(seasonLength)}."));
        return new ForecastMetrics
        {
            Overall = evaluator._overall.ToErrors(),
            Steps = evaluator._steps.Select(sums => sums.ToErrors()).ToArray(),
            Baseline = evaluator._baseline.ToErrors(),
            BaselineSteps = evaluator._baselineSteps.Select(sums => sums.ToErrors()).ToArray(),
            ForecastCount = evaluator._forecasts,
            MissingForecasts = rows.MissingForecasts,
            MissingValues = rows.MissingValues,
            UnscaledSeries = evaluator._unscaledSeries,
            SeasonLength = season,
        };
    }

    private static ErrorSums[] Sums(int count) => Enumerable.Range(0, count).Select(_ => new ErrorSums()).ToArray();

    private void Add(ForecastSeries series)
    {
        var scale = SeasonalDifference(series.Values);
        var before = _forecasts;
        for (var origin = 0; origin < series.Values.Count; origin++)
        {
            if (series.Forecasts[origin] is { } forecast && Compare(series.Values, origin, forecast, scale))
                _forecasts++;
        }
        if (scale == 0 && _forecasts > before)
            _unscaledSeries++;
    }

    private bool Compare(List<float> values, int origin, float[] forecast, double scale)
    {
        var compared = false;
        for (var step = 0; step < forecast.Length && origin + 1 + step < values.Count; step++)
        {
            var target = origin + 1 + step;
            // The last value of the same season that was known when the forecast was made.
            var before = target - (((step / _season) + 1) * _season);
            if (before < 0 || float.IsNaN(values[target]) || float.IsNaN(values[before]))
                continue;
            compared = true;
            Add(_overall, _steps[step], values[target], forecast[step], scale);
            Add(_baseline, _baselineSteps[step], values[target], values[before], scale);
        }
        return compared;
    }

    private static void Add(ErrorSums overall, ErrorSums step, double value, double forecast, double scale)
    {
        overall.Add(value, forecast, scale);
        step.Add(value, forecast, scale);
    }

    /// <summary>The mean absolute difference of values one season apart; 0 if there are none.</summary>
    private double SeasonalDifference(List<float> values)
    {
        double sum = 0;
        long count = 0;
        for (var i = _season; i < values.Count; i++)
        {
            double difference = Math.Abs(values[i] - values[i - _season]);
            if (double.IsNaN(difference))
                continue;
            sum += difference;
            count++;
        }
        return sum / Math.Max(1, count);
    }
}
