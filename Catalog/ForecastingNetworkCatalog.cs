using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Forecasting;

namespace MLExtensions;

/// <summary>Adds neural forecasting of time series to ML.NET's forecasting catalog.</summary>
public static class ForecastingNetworkCatalog
{
    /// <param name="catalog">The forecasting catalog.</param>
    extension(ForecastingCatalog catalog)
    {
        /// <summary>Trains a recurrent network that forecasts the next values of time series.</summary>
        /// <param name="outputColumnName">
        /// The column to add: the forecast of the next values of the row's series, a <c>Vector&lt;Single&gt;</c>. NaN in rows that have too
        /// little history.
        /// </param>
        /// <param name="inputColumnName">The column of values, a <c>Single</c>. Rows must be in time order.</param>
        /// <param name="windowSize">The number of past values that a forecast uses.</param>
        /// <param name="horizon">The number of values to forecast.</param>
        /// <param name="groupColumnName">
        /// The column that names each row's series: a key, text or a whole number. Null: all rows are one series.
        /// </param>
        /// <param name="hiddenUnits">The number of hidden units of the LSTM layer. Default 64.</param>
        /// <param name="epochs">The number of passes over the training data. Default 50.</param>
        /// <param name="batchSize">The number of windows per training step. Default 32.</param>
        /// <param name="learningRate">The learning rate of the Adam optimizer. Default 0.01.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// using var model = ml.Forecasting.ForecastByLstm("Forecast", "Temperature", windowSize: 36, horizon: 12).Fit(train);
        /// float[] history = [.. train.GetColumn&lt;float&gt;("Temperature")];
        /// float[] nextTwelve = model.Forecast(history);
        /// </code>
        /// </example>
        public LstmForecastingEstimator ForecastByLstm(
            string outputColumnName,
            string inputColumnName,
            int windowSize,
            int horizon,
            string? groupColumnName = null,
            int hiddenUnits = LstmForecastingEstimator.Options.DefaultHiddenUnits,
            int epochs = TrainingOptions.DefaultEpochs,
            int batchSize = TrainingOptions.DefaultBatchSize,
            double learningRate = LstmForecastingEstimator.Options.DefaultForecastRate) =>
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

        /// <summary>Trains a recurrent network that forecasts the next values of time series.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// using var model = ml.Forecasting.ForecastByLstm(new LstmForecastingEstimator.Options
        /// {
        ///     InputColumnName = "Sales",
        ///     OutputColumnName = "Forecast",
        ///     GroupColumnName = "Shop", // a series per shop
        ///     WindowSize = 24,
        ///     Horizon = 12,
        /// }).Fit(train);
        /// var forecasts = model.Transform(data).GetColumn&lt;float[]&gt;("Forecast").ToArray();
        /// </code>
        /// </example>
        public LstmForecastingEstimator ForecastByLstm(LstmForecastingEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);

        /// <summary>Compares forecasts with the actual values, and with the seasonal naive forecast of the same values.</summary>
        /// <remarks>
        /// The forecast of a row is compared with the values of the following rows of the same series. Rows whose forecast contains NaN and
        /// values that are NaN are skipped and counted. Values without a value one season earlier are skipped too. The scale of the mean
        /// absolute scaled error is computed from all rows of a series in <paramref name="forecasts"/>; series without one are left out of it.
        /// </remarks>
        /// <param name="forecasts">The data with values and forecasts. Rows must be in time order.</param>
        /// <param name="valueColumnName">The values of the series, a <c>Single</c>.</param>
        /// <param name="forecastColumnName">
        /// The forecasts, a <c>Vector&lt;Single&gt;</c>: the values of the next rows of the same series.
        /// </param>
        /// <param name="groupColumnName">
        /// The column that names each row's series: a key, text or a whole number. Null: all rows are one series.
        /// </param>
        /// <param name="seasonLength">
        /// The period of the baseline in rows, such as 12 for monthly data. Null: the baseline is the last value.
        /// </param>
        /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there is nothing to compare.</exception>
        /// <param name="timeColumnName">
        /// The column with the time of each row, a <c>DateTime</c>, <c>DateTimeOffset</c> or number; the order of the rows of each series is
        /// checked. Null: it is not checked.
        /// </param>
        /// <exception cref="FormatException">
        /// A value or a forecast is infinite, a group is missing, or the rows of a series are not in time order.
        /// </exception>
        /// <example>
        /// <code>
        /// using var model = ml.Forecasting.ForecastByLstm("Forecast", "Temperature", windowSize: 36, horizon: 12).Fit(train);
        /// var metrics = ml.Forecasting.EvaluateForecast(model.Transform(data), "Temperature", "Forecast", seasonLength: 12);
        /// Console.WriteLine($"{metrics.Overall.MeanAbsoluteError}, repeating last year: {metrics.Baseline.MeanAbsoluteError}");
        /// </code>
        /// </example>
        public ForecastMetrics EvaluateForecast(
            IDataView forecasts,
            string valueColumnName,
            string forecastColumnName,
            string? groupColumnName = null,
            int? seasonLength = null,
            string? timeColumnName = null)
        {
            ArgumentNullException.ThrowIfNull(forecasts);
            ArgumentNullException.ThrowIfNull(valueColumnName);
            ArgumentNullException.ThrowIfNull(forecastColumnName);
            return ForecastEvaluator.Evaluate(forecasts, valueColumnName, forecastColumnName, groupColumnName, seasonLength, timeColumnName);
        }
    }
}
