using Microsoft.ML;
using MLExtensions.Forecasting;

namespace MLExtensions;

/// <summary>Forecasting of time series in ML.NET's catalog.</summary>
public static class ForecastingNetworkCatalog
{
    /// <param name="catalog">The forecasting catalog.</param>
    extension(ForecastingCatalog catalog)
    {
        /// <summary>Compares forecasts with what came, and with the seasonal-naive forecast of the same values.</summary>
        /// <remarks>
        /// The forecast of a row is compared with the values of the rows of its series that follow it. Rows whose forecast has a NaN are
        /// left out and counted, as are values that are NaN; so are values that have no value a season before them.
        /// The scale of the mean absolute scaled error is taken from all rows of a series in <paramref name="forecasts"/>.
        /// </remarks>
        /// <param name="forecasts">Rows in the order of time.</param>
        /// <param name="valueColumnName">The values of the series, a <c>Single</c>.</param>
        /// <param name="forecastColumnName">The forecasts, a <c>Vector&lt;Single&gt;</c>: the values of the next rows of the same series.</param>
        /// <param name="groupColumnName">Which series a row belongs to, a key, text or a whole number; null for one series.</param>
        /// <param name="seasonLength">The period of the baseline in rows, such as 12 for months; null for the last value as the baseline.</param>
        /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there is nothing to compare.</exception>
        /// <exception cref="FormatException">A value or a forecast is infinite.</exception>
        public ForecastMetrics EvaluateForecast(
            IDataView forecasts,
            string valueColumnName,
            string forecastColumnName,
            string? groupColumnName = null,
            int? seasonLength = null)
        {
            ArgumentNullException.ThrowIfNull(forecasts);
            ArgumentNullException.ThrowIfNull(valueColumnName);
            ArgumentNullException.ThrowIfNull(forecastColumnName);
            return ForecastEvaluator.Evaluate(forecasts, valueColumnName, forecastColumnName, groupColumnName, seasonLength);
        }
    }
}
