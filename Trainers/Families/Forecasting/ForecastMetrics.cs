using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>
/// The errors of forecasts and of a baseline, the seasonal naive forecast: the value of the same season one period earlier.
/// </summary>
public sealed class ForecastMetrics
{
    internal ForecastMetrics()
    {
    }

    /// <summary>The errors of all forecasts.</summary>
    public required ForecastErrors Overall { get; init; }

    /// <summary>The errors of each time step of the horizon, the next value first.</summary>
    public required IReadOnlyList<ForecastErrors> Steps { get; init; }

    /// <summary>The errors of the seasonal naive forecasts of the same values.</summary>
    public required ForecastErrors Baseline { get; init; }

    /// <summary>The errors of each time step of the seasonal naive forecasts.</summary>
    public required IReadOnlyList<ForecastErrors> BaselineSteps { get; init; }

    /// <summary>The number of rows whose forecast was compared for at least one time step.</summary>
    public required long ForecastCount { get; init; }

    /// <summary>The number of rows whose forecast contains NaN because of too little history. They are skipped.</summary>
    public required long MissingForecasts { get; init; }

    /// <summary>The number of rows whose value is NaN. They are skipped.</summary>
    public required long MissingValues { get; init; }

    /// <summary>
    /// The number of series without a scaled error: they repeat themselves exactly from season to season, as a constant series does, or are
    /// shorter than a season. They are left out of <see cref="ForecastErrors.MeanAbsoluteScaledError"/>.
    /// </summary>
    public required long UnscaledSeries { get; init; }

    /// <summary>The period of the baseline in rows; 1 means the last value.</summary>
    public required int SeasonLength { get; init; }

    /// <summary>Returns the main metrics as text.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"MAE {Overall.MeanAbsoluteError:G4} (baseline {Baseline.MeanAbsoluteError:G4}), RMSE {Overall.RootMeanSquaredError:G4} (baseline {Baseline.RootMeanSquaredError:G4}), {ForecastCount} forecasts");
}

/// <summary>The errors of forecasts. Smaller is better.</summary>
/// <param name="Count">The number of compared values.</param>
/// <param name="MeanAbsoluteError">The mean absolute error, in the unit of the values.</param>
/// <param name="RootMeanSquaredError">The square root of the mean squared error, in the unit of the values.</param>
/// <param name="SymmetricMeanAbsolutePercentageError">
/// The mean of 200 |value - forecast| / (|value| + |forecast|), in percent from 0 to 200; 0 if both are 0 (Makridakis, 1993).
/// </param>
/// <param name="MeanAbsoluteScaledError">
/// The mean absolute error divided by that of the seasonal naive forecast on the same series (Hyndman and Koehler, 2006). Values below 1
/// are better than that forecast. Series that repeat themselves exactly from season to season have no such error and are left out; NaN if
/// there are no others.
/// </param>
public sealed record ForecastErrors(
    long Count,
    double MeanAbsoluteError,
    double RootMeanSquaredError,
    double SymmetricMeanAbsolutePercentageError,
    double MeanAbsoluteScaledError)
{
    /// <summary>
    /// The number of values that <see cref="MeanAbsoluteScaledError"/> is the mean of: those of series that do not repeat themselves exactly.
    /// </summary>
    public long ScaledCount { get; init; }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(ForecastErrors), PrintMembers);
}

/// <summary>Sums of the errors of forecasts.</summary>
internal sealed class ErrorSums
{
    private long _count;
    private double _absolute;
    private double _squares;
    private double _percentages;
    private double _scaled;
    private long _scaledCount;

    /// <param name="value">The actual value.</param>
    /// <param name="forecast">The forecast value.</param>
    /// <param name="scale">The mean absolute difference of the series between values one season apart; with 0 there is no scaled error.</param>
    public void Add(double value, double forecast, double scale)
    {
        var error = Math.Abs(value - forecast);
        var size = Math.Abs(value) + Math.Abs(forecast);
        _count++;
        _absolute += error;
        _squares += error * error;
        _percentages += size == 0 ? 0 : 200 * error / size;
        if (scale == 0)
            return;
        _scaled += error / scale;
        _scaledCount++;
    }

    public ForecastErrors ToErrors() => _count == 0
        ? new ForecastErrors(0, double.NaN, double.NaN, double.NaN, double.NaN)
        : new ForecastErrors(_count, _absolute / _count, Math.Sqrt(_squares / _count), _percentages / _count, _scaledCount == 0 ? double.NaN : _scaled / _scaledCount) { ScaledCount = _scaledCount };
}
