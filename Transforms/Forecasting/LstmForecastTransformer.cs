using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Forecasting;
using MLExtensions.Heads;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Scoring;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(LstmForecastTransformer), typeof(LstmForecastTransformer), null, typeof(SignatureLoadModel), "", LstmForecastTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds to each row the forecast of the rows of its series that follow it.</summary>
/// <remarks>
/// The rows must be in the order of time; those of several series may be mixed. A row's forecast is made from the row and the rows of
/// its series before it in the same data, as many as <see cref="WindowSize"/>; with fewer, it is NaN in every step. Each
/// pass over the data begins without history, so what is to be forecast comes with the rows before it. <see cref="Transform"/> is
/// lazy, rows are forecast in blocks, and they are not shuffled. One transformer can be used by several threads.
/// </remarks>
public sealed class LstmForecastTransformer : ITransformer, INetworkHolder, IDisposable
{
    internal const string LoaderSignature = "MLExtLstmForecast";
    private const string ModelSignature = "MLEXTLFC";
    private const string NetworkFolder = "Network";

    private readonly IHost _host;
    private readonly SeriesColumnNames _names;

    internal LstmForecastTransformer(IHostEnvironment env, NetworkModelParameters model, string outputColumnName, SeriesColumnNames names)
    {
        _host = env.Register(LoaderSignature);
        Model = model;
        OutputColumnName = outputColumnName;
        _names = names;
    }

    /// <summary>The column that is added, a <c>Vector&lt;Single&gt;</c> of <see cref="Horizon"/> values.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column of the series' values.</summary>
    public string InputColumnName => _names.Value;

    /// <summary>The number of steps that a forecast looks back.</summary>
    public int WindowSize => ((ForecastArchitecture)Model.Architecture).WindowSize;

    /// <summary>The number of steps that are forecast.</summary>
    public int Horizon => Model.Architecture.OutputCount;

    /// <summary>The network and its weights. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    IInitialWeights INetworkHolder.InitialWeights => Model;

    bool ITransformer.IsRowToRowMapper => false;

    /// <summary>Adds the forecasts to data in the order of time.</summary>
    /// <param name="input">Data with the columns that the model was trained on.</param>
    /// <exception cref="ArgumentException">A column is missing, or of another type or size.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var columns = SeriesColumns.Find(input.Schema, _names);
        var width = ((ForecastArchitecture)Model.Architecture).StepWidth;
        if (columns.Width != width)
            throw new ArgumentException($"The extra columns {string.Join(", ", _names.Extra)} have {columns.Width - 1} values; the model was trained on {width - 1}.", nameof(input));
        // The column of windows is hidden by that of the forecasts, which has its name.
        var windows = new WindowDataView(input, columns, WindowSize, OutputColumnName);
        var blocks = new LookAheadDataView(windows, OutputColumnName);
        return new BatchScoredDataView(new RowToRowMapperTransform(_host, blocks, CreateMapper(windows.Schema), CreateMapper));
    }

    /// <summary>The schema of what <see cref="Transform"/> makes of data with a schema.</summary>
    /// <exception cref="ArgumentException">A column is missing, or of another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Transform(new EmptyDataView(_host, inputSchema)).Schema;
    }

    /// <summary>Forecasts what follows on some values, without a data view.</summary>
    /// <param name="history">The values so far, the last one at the end; at least <see cref="WindowSize"/>.</param>
    /// <returns>The next <see cref="Horizon"/> values.</returns>
    /// <exception cref="ArgumentException">There are too few values.</exception>
    /// <exception cref="FormatException">A value that the forecast looks back at is NaN or infinite.</exception>
    /// <exception cref="InvalidOperationException">The model has extra inputs: use <see cref="Transform"/>.</exception>
    public float[] Forecast(IEnumerable<float> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        if (_names.Extra.Count > 0)
            throw new InvalidOperationException($"The model has the extra inputs {string.Join(", ", _names.Extra)} beside the history; Transform takes them.");
        var values = history.ToArray();
        if (values.Length < WindowSize)
            throw new ArgumentException($"The history has {values.Length} values; the model looks back {WindowSize}.", nameof(history));
        var bad = Array.FindIndex(values, values.Length - WindowSize, value => !float.IsFinite(value));
        if (bad >= 0)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"The history's value at {bad} is {values[bad]}; it must be finite."));
        using var scope = NewDisposeScope();
        var window = tensor([1, .. values.AsSpan(^WindowSize..)]).unsqueeze(0);
        var forecast = new float[Horizon];
        new ForecastScorer(Model).Score(window, forecast);
        return forecast;
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => Model.Dispose();

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) =>
        throw new InvalidOperationException("A forecast looks back at the rows before; it is no mapping of a single row. Forecast(history) makes one without a data view.");

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(GetVersionInfo());
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(_names.Value);
        ctx.SaveStringOrNull(_names.Group);
        ctx.Writer.Write(_names.Extra.Count);
        foreach (var name in _names.Extra)
            ctx.SaveNonEmptyString(name);
        ctx.SaveModel(Model, NetworkFolder);
    }

    internal static LstmForecastTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var output = ctx.LoadNonEmptyString();
        var value = ctx.LoadNonEmptyString();
        var group = ctx.LoadStringOrNull();
        var extra = new List<string>();
        for (var left = ctx.Reader.ReadInt32(); left > 0; left--)
            extra.Add(ctx.LoadNonEmptyString());
        ctx.LoadModel<NetworkModelParameters, SignatureLoadModel>(env, out var model, NetworkFolder);
        if (model is { Head: ForecastHead head, Architecture: ForecastArchitecture architecture } && head.Scale.Means.Count == architecture.StepWidth)
            return new LstmForecastTransformer(env, model, output, new SeriesColumnNames(value, extra, group));
        model.Dispose();
        throw new ModelFormatException(NetworkFolder, $"is no network for forecasts: {model.Architecture.GetType().Name}, {model.Head.Kind}");
    }

    private ForecastRowMapper CreateMapper(DataViewSchema schema) => new(this, schema[OutputColumnName]);

    private static VersionInfo GetVersionInfo() => new(
        ModelSignature,
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(LstmForecastTransformer).Assembly.FullName,
        loaderSignature: LoaderSignature);
}
