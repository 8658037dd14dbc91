using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Forecasting;

namespace MLExtensions;

/// <summary>Forecasting of time series in ML.NET's catalog.</summary>
public static class ForecastingNetworkCatalog
{
    /// <param name="catalog">The forecasting catalog.</param>
    extension(ForecastingCatalog catalog)
    {
        /// <summary>A recurrent network that forecasts the next values of time series.</summary>
        /// <param name="outputColumnName">The column to add: the next values of the row's series, a <c>Vector&lt;Single&gt;</c>; NaN where a row has too few rows before it.</param>
        /// <param name="inputColumnName">The values, a <c>Single</c>; rows in the order of time.</param>
        /// <param name="windowSize">The number of values that a forecast looks back.</param>
        /// <param name="horizon">The number of values to forecast.</param>
        /// <param name="groupColumnName">Which series a row belongs to, a key, text or a whole number; null for one series.</param>
        /// <param name="hiddenUnits">The hidden units of the LSTM layer.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of windows of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public LstmForecastingEstimator ForecastByLstm(
            string outputColumnName,
            string inputColumnName,
            int windowSize,
            int horizon,
            string? groupColumnName = null,
            int hiddenUnits = LstmForecastingEstimator.Options.DefaultHiddenUnits,
            int epochs = TrainingOptions.DefaultEpochs,
            int batchSize = TrainingOptions.DefaultBatchSize,
            double learningRate = TrainingOptions.DefaultLearningRate) =>
            catalog.ForecastByLstm(new LstmForecastingEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                WindowSize = windowSize,
                Horizon = horizon,
                GroupColumnName = groupColumnName,
                HiddenUnits = hiddenUnits,
                Epochs = epochs,
                BatchSize = batchSize,
                LearningRate = learningRate,
            });

        /// <summary>A recurrent network that forecasts the next values of time series.</summary>
        /// <param name="options">The options; the forecaster keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public LstmForecastingEstimator ForecastByLstm(LstmForecastingEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);

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
