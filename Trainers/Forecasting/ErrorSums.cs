namespace MLExtensions.Forecasting;

/// <summary>Sums of the errors of forecasts.</summary>
internal sealed class ErrorSums
{
    private long _count;
    private double _absolute;
    private double _squares;
    private double _percentages;
    private double _scaled;

    /// <param name="value">What came.</param>
    /// <param name="forecast">What was forecast.</param>
    /// <param name="scale">The mean absolute difference of the series from season to season.</param>
    public void Add(double value, double forecast, double scale)
    {
        var error = Math.Abs(value - forecast);
        var size = Math.Abs(value) + Math.Abs(forecast);
        _count++;
        _absolute += error;
        _squares += error * error;
        _percentages += size == 0 ? 0 : 200 * error / size;
        _scaled += scale == 0 ? double.NaN : error / scale;
    }

    public ForecastErrors ToErrors() => _count == 0
        ? new ForecastErrors(0, double.NaN, double.NaN, double.NaN, double.NaN)
        : new ForecastErrors(_count, _absolute / _count, Math.Sqrt(_squares / _count), _percentages / _count, _scaled / _count);
}
