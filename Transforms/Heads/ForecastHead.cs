using MLExtensions.Forecasting;

namespace MLExtensions.Heads;

/// <summary>The next values of a series. Windows are scaled before the network, and forecasts back behind it, by what is in here.</summary>
internal sealed record ForecastHead(int Horizon, SeriesScale Scale) : PredictionHead
{
    internal override int OutputCount => Horizon;

    public override void Check()
    {
        if (Horizon < 1)
            throw new FormatException($"horizon is {Horizon}; it must be at least 1.");
        Scale.Check();
    }
}
