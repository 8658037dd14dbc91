using MLExtensions.Messages;
using System.Globalization;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Families.Forecasting;

/// <summary>The values and forecasts of one series; a missing forecast is null.</summary>
internal sealed class ForecastSeries
{
    public List<float> Values { get; } = [];

    public List<float[]?> Forecasts { get; } = [];
}

/// <summary>Reads values and forecasts, series by series.</summary>
internal sealed class ForecastRows
{
    private readonly Dictionary<string, ForecastSeries> _series = [];
    private readonly string _forecastName;

    private ForecastRows(string forecastName, int horizon)
    {
        _forecastName = forecastName;
        Horizon = horizon;
    }

    public int Horizon { get; }

    public IEnumerable<ForecastSeries> Series => _series.Values;

    public long RowCount { get; private set; }

    public long MissingForecasts { get; private set; }

    public long MissingValues { get; private set; }

    public static ForecastRows Read(IDataView data, string valueColumnName, string forecastColumnName, string? groupColumnName, string? timeColumnName)
    {
        var columns = SeriesColumns.Find(data.Schema, new SeriesColumnNames(valueColumnName, [], groupColumnName, timeColumnName, TimeGapHandling.Allow));
        var forecasts = data.Schema.GetColumnOrNull(forecastColumnName)
            ?? throw new ArgumentException($"Forecast column '{forecastColumnName}' is not in the data; the columns are {string.Join(", ", data.Schema.Select(column => column.Name))}.");
        if (forecasts.Type is not VectorDataViewType { IsKnownSize: true } type || type.ItemType != NumberDataViewType.Single)
            throw new ArgumentException($"Forecast column '{forecasts.Name}' has type {forecasts.Type}; it must be Vector<Single> of known size, with one value per time step ahead.");
        var rows = new ForecastRows(forecasts.Name, type.Size);
        rows.Read(data, columns, forecasts);
        return rows;
    }

    private void Read(IDataView data, SeriesColumns columns, DataViewSchema.Column forecasts)
    {
        using var cursor = data.GetRowCursor([.. columns.All, forecasts]);
        var getValue = cursor.GetGetter<float>(columns.Value);
        var getForecast = cursor.GetGetter<VBuffer<float>>(forecasts);
        var getGroup = columns.Group is { } group ? RowCursorUtils.GetGetterAsStringBuilder(cursor, group.Index) : null;
        var times = columns.Time is { } time ? new SeriesTimes(cursor, time, columns.Gaps) : null;
        var text = new StringBuilder();
        var value = 0f;
        var forecast = default(VBuffer<float>);
        while (cursor.MoveNext())
        {
            getValue(ref value);
            if (float.IsInfinity(value))
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{columns.Value.Name}', {RowName.Of(cursor.Position)}: the value is {value}; it must be finite, or NaN if it is missing."));
            getForecast(ref forecast);
            getGroup?.Invoke(ref text);
            var name = text.ToString();
            if (getGroup != null && name.Length == 0)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Group column '{columns.Group!.Value.Name}', {RowName.Of(cursor.Position)}: the value is missing; every row must belong to a series."));
            times?.Check(name);
            Add(name, value, forecast.DenseValues().ToArray(), cursor.Position);
        }
    }

    private void Add(string group, float value, float[] forecast, long row)
    {
        var infinite = Array.FindIndex(forecast, float.IsInfinity);
        if (infinite >= 0)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Forecast column '{_forecastName}', {RowName.Of(row)}, step {infinite + 1}: the value is {forecast[infinite]}; it must be finite, or NaN if it is missing."));
        if (!_series.TryGetValue(group, out var series))
            _series.Add(group, series = new ForecastSeries());
        var isMissing = forecast.Any(float.IsNaN);
        RowCount++;
        MissingValues += float.IsNaN(value) ? 1 : 0;
        MissingForecasts += isMissing ? 1 : 0;
        series.Values.Add(value);
        series.Forecasts.Add(isMissing ? null : forecast);
    }
}
