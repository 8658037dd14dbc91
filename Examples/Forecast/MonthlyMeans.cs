using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Examples.Forecast;

/// <summary>The forecast that knows only the seasons: each month's mean over the training years.</summary>
internal static class MonthlyMeans
{
    /// <param name="mlContext">The context.</param>
    /// <param name="training">The months that are known.</param>
    /// <param name="test">The months to forecast from.</param>
    /// <param name="first">The first of them to forecast from. Earlier ones have NaN.</param>
    /// <param name="horizon">How many months to forecast.</param>
    public static IDataView Forecast(MLContext mlContext, ElNinoMonth[] training, ElNinoMonth[] test, int first, int horizon)
    {
        var means = training.GroupBy(month => month.MonthOfYear).ToDictionary(group => group.Key, group => group.Average(month => month.Temperature));
        var rows = test.Select((month, i) => new Row
        {
            Temperature = month.Temperature,
            Forecast = Enumerable.Range(1, horizon).Select(step => i < first ? float.NaN : means[month.Date.AddMonths(step).Month]).ToArray(),
        });
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Forecast)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, horizon);
        return mlContext.Data.LoadFromEnumerable(rows, schema);
    }

    private sealed class Row
    {
        public float Temperature { get; set; }

        public float[] Forecast { get; set; } = [];
    }
}
