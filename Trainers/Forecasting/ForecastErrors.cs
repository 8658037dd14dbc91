namespace MLExtensions;

/// <summary>How far forecasts were from what came; the smaller, the better.</summary>
/// <param name="Count">The number of values that were compared.</param>
/// <param name="MeanAbsoluteError">The mean absolute error, in the unit of the values.</param>
/// <param name="RootMeanSquaredError">The root of the mean squared error, in the unit of the values.</param>
/// <param name="SymmetricMeanAbsolutePercentageError">
/// The mean of 200 |value - forecast| / (|value| + |forecast|), in percent from 0 to 200; 0 where both are 0 (Makridakis, 1993).
/// </param>
/// <param name="MeanAbsoluteScaledError">
/// The mean absolute error over that of forecasting each value of the series by the one a season before it (Hyndman and Koehler, 2006):
/// below 1 is better than that one. NaN where a series repeats itself exactly from season to season, so that there is nothing to
/// divide by.
/// </param>
public sealed record ForecastErrors(
    long Count,
    double MeanAbsoluteError,
    double RootMeanSquaredError,
    double SymmetricMeanAbsolutePercentageError,
    double MeanAbsoluteScaledError);
