using System.Runtime.ExceptionServices;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Forecasting;
using MLExtensions.Models;

namespace MLExtensions;

/// <summary>The forecast of a series.</summary>
/// <param name="Series">The name of the series in the group column; empty if there is only one.</param>
/// <param name="Values">The next values, the nearest one first; NaN if the series has fewer rows than a forecast needs.</param>
public sealed record SeriesForecast(string Series, IReadOnlyList<float> Values);

/// <summary>Forecasts with models that contain a forecasting network: a transformer, a chain of transformers, a loaded model.</summary>
public static class ForecastExtensions
{
    /// <param name="model">The model, with one forecasting network.</param>
    extension(ITransformer model)
    {
        /// <summary>Forecasts the next values of a series.</summary>
        /// <param name="history">The past values, the latest one last; at least <see cref="LstmForecastingTransformer.WindowSize"/>.</param>
        /// <returns>The next <see cref="LstmForecastingTransformer.Horizon"/> values.</returns>
        /// <remarks>
        /// The other steps of a chain are applied too, to data with nothing but the values. If they need other columns, use
        /// <see cref="Forecast(ITransformer, IDataView)"/>.
        /// </remarks>
        /// <exception cref="ArgumentException">The model has no forecasting network or several, or there are too few values.</exception>
        /// <exception cref="FormatException">A value that the forecast uses is NaN or infinite.</exception>
        /// <exception cref="InvalidOperationException">The model needs more than the values.</exception>
        public float[] Forecast(IEnumerable<float> history)
        {
            ArgumentNullException.ThrowIfNull(history);
            return new ForecastingModel(model).Forecast(history);
        }

        /// <summary>Forecasts the next values of several series.</summary>
        /// <param name="histories">The past values of each, the latest one last.</param>
        /// <returns>The next values of each.</returns>
        /// <inheritdoc cref="Forecast(ITransformer, IEnumerable{float})"/>
        public float[][] Forecast(IEnumerable<IEnumerable<float>> histories)
        {
            ArgumentNullException.ThrowIfNull(histories);
            return histories.Select(history => model.Forecast(history)).ToArray();
        }

        /// <summary>Forecasts the next values of every series in data, after its last row.</summary>
        /// <param name="history">The rows of the series, in time order; with the same columns as the training data.</param>
        /// <returns>One forecast for each series, in the order of their first rows.</returns>
        /// <exception cref="ArgumentException">
        /// The model has no forecasting network or several, a column is missing, there are no rows, or all series are too short.
        /// </exception>
        /// <exception cref="FormatException">
        /// A value that a forecast uses is NaN or infinite, that is, one in the last <see cref="LstmForecastingTransformer.WindowSize"/> rows
        /// of a series; the message names column and row.
        /// </exception>
        public IReadOnlyList<SeriesForecast> Forecast(IDataView history)
        {
            ArgumentNullException.ThrowIfNull(history);
            return LastForecasts.Read(new ForecastingModel(model), history);
        }
    }
}

/// <summary>A model with one forecasting network, and the steps before and after it.</summary>
file sealed class ForecastingModel
{
    private readonly ITransformer[] _before;
    private readonly ITransformer[] _after;

    /// <exception cref="ArgumentException">The model has no forecasting network or several.</exception>
    public ForecastingModel(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var steps = Steps(model).ToArray();
        Forecaster = steps.OfType<LstmForecastingTransformer>().ToArray() switch
        {
            [var forecaster] => forecaster,
            { Length: var count } => throw new ArgumentException($"The model has {(count == 0 ? "no" : count)} forecasting network{(count == 0 ? "" : "s")}; its steps are {string.Join(", ", steps.Select(step => step.GetType().Name))}. Forecast needs one model of ForecastByLstm.", nameof(model)),
        };
        var place = Array.IndexOf(steps, Forecaster);
        (_before, _after) = (steps[..place], steps[(place + 1)..]);
    }

    public LstmForecastingTransformer Forecaster { get; }

    /// <summary>Applies the steps before the network.</summary>
    public IDataView Prepare(IDataView history) => Apply(_before, history);

    /// <summary>Forecasts after some rows of what <see cref="Prepare"/> gives, and applies the steps after the network.</summary>
    public IDataView ForecastAfter(IReadOnlySet<long> rows, IDataView prepared) => Apply(_after, Forecaster.TransformEnds(prepared, rows));

    public float[] Forecast(IEnumerable<float> history)
    {
        if (_before.Length + _after.Length == 0)
            return Forecaster.Forecast(history);
        var values = history.ToArray();
        if (values.Length < Forecaster.WindowSize)
            throw new ArgumentException(FormattableString.Invariant($"The history has {values.Length} values; the model needs at least {Forecaster.WindowSize}."), nameof(history));
        var view = ViewOf(values);
        try
        {
            Apply(_after, Forecaster.Transform(Prepare(view)));
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException($"The steps of the model need more than the column '{Forecaster.InputColumnName}': {e.Message} Call Forecast with a data view.", e);
        }
        return [.. LastForecasts.Read(this, view).Single().Values];
    }

    private static IEnumerable<ITransformer> Steps(ITransformer model) => model is IEnumerable<ITransformer> chain ? chain.SelectMany(Steps) : [model];

    private static IDataView Apply(ITransformer[] steps, IDataView data) => steps.Aggregate(data, (view, step) => step.Transform(view));

    private IDataView ViewOf(float[] history)
    {
        var builder = new ArrayDataViewBuilder(new MLContext());
        builder.AddColumn(Forecaster.InputColumnName, NumberDataViewType.Single, history);
        if (Forecaster.GroupColumnName is { } group)
            builder.AddColumn(group, Enumerable.Repeat("series", history.Length).ToArray());
        return builder.GetDataView();
    }
}

/// <summary>Reads the forecasts of the last row of each series.</summary>
file static class LastForecasts
{
    public static IReadOnlyList<SeriesForecast> Read(ForecastingModel model, IDataView history)
    {
        var forecaster = model.Forecaster;
        var prepared = model.Prepare(history);
        var lastRows = FindLastRows(prepared, GroupColumn(prepared.Schema, forecaster));
        if (lastRows.Count == 0)
            throw new ArgumentException("The history has no rows, so there is nothing to forecast from.");
        var rows = lastRows.ToDictionary(last => last.Row, last => last.Group);
        var scored = model.ForecastAfter(rows.Keys.ToHashSet(), prepared);
        var found = ReadRows(scored, forecaster, rows);
        if (found.Count < rows.Count)
            throw new InvalidOperationException(FormattableString.Invariant($"The history gave {lastRows.Max(last => last.Row) + 1} rows at first and others when it was read again. {nameof(ForecastExtensions.Forecast)} reads it twice; read rows that come only once, or that are made anew each time, into memory with ml.Data.Cache."));
        var forecasts = lastRows.Select(row => new SeriesForecast(row.Group, found[row.Row])).ToArray();
        return forecasts.Any(forecast => !forecast.Values.Any(float.IsNaN))
            ? forecasts
            : throw new ArgumentException(FormattableString.Invariant($"Every series of the history is too short: a forecast needs the last {forecaster.WindowSize} rows of its series."));
    }

    /// <summary>Reads the forecasts of some rows, until one is of another series than expected.</summary>
    private static Dictionary<long, float[]> ReadRows(IDataView scored, LstmForecastingTransformer forecaster, Dictionary<long, string> rows)
    {
        var column = scored.Schema.GetColumnOrNull(forecaster.OutputColumnName)
            ?? throw new ArgumentException($"Column '{forecaster.OutputColumnName}' is not in the output of the model.");
        var group = GroupColumn(scored.Schema, forecaster);
        var found = new Dictionary<long, float[]>();
        try
        {
            using var cursor = scored.GetRowCursor(group is { } series ? [column, series] : [column]);
            var getter = cursor.GetGetter<VBuffer<float>>(column);
            var getGroup = OpenGroup(cursor, group);
            VBuffer<float> buffer = default;
            var text = new StringBuilder();
            for (long row = 0; found.Count < rows.Count && cursor.MoveNext(); row++)
            {
                if (!rows.TryGetValue(row, out var expected))
                    continue;
                getGroup?.Invoke(ref text);
                if (!text.Equals(expected))
                    break;
                getter(ref buffer);
                found.Add(row, buffer.DenseValues().ToArray());
            }
        }
        catch (InvalidOperationException e) when (e.InnerException is FormatException cause)
        {
            // The threads of ML.NET that apply a later step hide what is wrong with the data.
            ExceptionDispatchInfo.Throw(cause);
        }
        return found;
    }

    private static DataViewSchema.Column? GroupColumn(DataViewSchema schema, LstmForecastingTransformer forecaster) => forecaster.GroupColumnName is not { } name
        ? null
        : schema.GetColumnOrNull(name) ?? throw new ArgumentException($"Group column '{name}' is not in the output of the model.");

    private static List<(string Group, long Row)> FindLastRows(IDataView scored, DataViewSchema.Column? group)
    {
        var order = new List<string>();
        var last = new Dictionary<string, long>();
        using var cursor = scored.GetRowCursor(group is { } needed ? [needed] : []);
        var getter = OpenGroup(cursor, group);
        var text = new StringBuilder();
        for (long row = 0; cursor.MoveNext(); row++)
        {
            getter?.Invoke(ref text);
            var name = text.ToString();
            if (!last.ContainsKey(name))
                order.Add(name);
            last[name] = row;
        }
        return order.ConvertAll(name => (name, last[name]));
    }

    private static ValueGetter<StringBuilder>? OpenGroup(DataViewRow row, DataViewSchema.Column? group) =>
        group is { } column ? RowCursorUtils.GetGetterAsStringBuilder(row, column.Index) : null;
}
