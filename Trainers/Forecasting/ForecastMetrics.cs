namespace MLExtensions;

/// <summary>How good forecasts were, beside the seasonal-naive ones: the value of the same season one period before.</summary>
public sealed class ForecastMetrics
{
    internal ForecastMetrics()
    {
    }

    /// <summary>The errors of all forecasts.</summary>
    public required ForecastErrors Overall { get; init; }

    /// <summary>The errors of each step of the horizon, the next value first.</summary>
    public required IReadOnlyList<ForecastErrors> Steps { get; init; }

    /// <summary>The errors of the seasonal-naive forecasts of the same values.</summary>
    public required ForecastErrors Baseline { get; init; }

    /// <summary>The errors of each step of the seasonal-naive forecasts.</summary>
    public required IReadOnlyList<ForecastErrors> BaselineSteps { get; init; }

    /// <summary>The number of rows whose forecast was compared, in one step at least.</summary>
    public required long ForecastCount { get; init; }

    /// <summary>The number of rows whose forecast has a NaN, for lack of history; they are left out.</summary>
    public required long MissingForecasts { get; init; }

    /// <summary>The number of rows whose value is NaN; nothing is compared with them.</summary>
    public required long MissingValues { get; init; }

    /// <summary>The period of the baseline in rows; 1 means the last value.</summary>
    public required int SeasonLength { get; init; }

    /// <summary>The main figures.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"MAE {Overall.MeanAbsoluteError:G4} (baseline {Baseline.MeanAbsoluteError:G4}), RMSE {Overall.RootMeanSquaredError:G4} (baseline {Baseline.RootMeanSquaredError:G4}), {ForecastCount} forecasts");
}
