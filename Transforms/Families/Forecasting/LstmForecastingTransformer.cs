using MLExtensions.Onnx;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Forecasting;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(LstmForecastingTransformer), typeof(LstmForecastingTransformer), null, typeof(SignatureLoadModel), "", LstmForecastingTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds to each row a forecast of the following rows of its series.</summary>
/// <remarks>
/// The rows must be in time order; rows of several series may be interleaved. The forecast of a row uses the row and the previous rows of
/// its series in the same data, <see cref="WindowSize"/> in all. With fewer rows all its values are NaN. Each pass over the data begins
/// without history, so the data must include the rows before those to forecast. <see cref="NetworkColumnsTransformer.Transform"/> is lazy;
/// rows are processed in blocks and are not shuffled. One transformer can be used by several threads.
/// </remarks>
public sealed class LstmForecastingTransformer : FeatureColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtLstmForecast";
    private const string ModelSignature = "MLEXTLFC";
    private const string NetworkFolder = "Network";

    private readonly SeriesColumnNames _names;
    private readonly ForecastArchitecture _architecture;
    private readonly SeriesScale _scale;

    internal LstmForecastingTransformer(IHostEnvironment env, NetworkModelParameters model, string outputColumnName, SeriesColumnNames names)
        : base(env.Register(LoaderSignature), names.Value, model)
    {
        Model = model;
        OutputColumnName = outputColumnName;
        _names = names;
        _architecture = (ForecastArchitecture)model.Architecture;
        _scale = ((ForecastHead)model.Head!).Scale;
        Format = new DenseFormat(WindowDataView.WidthOf(WindowSize, _architecture.StepWidth));
        Outputs = [OutputColumn.Vector(outputColumnName, Horizon)];
    }

    /// <summary>The added column, a <c>Vector&lt;Single&gt;</c> of <see cref="Horizon"/> values.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column that names the series of a row; null if all rows are one series.</summary>
    public string? GroupColumnName => _names.Group;

    /// <summary>The number of past values that a forecast uses.</summary>
    public int WindowSize => _architecture.WindowSize;

    /// <summary>The number of forecast values.</summary>
    public int Horizon => _architecture.OutputCount;

    /// <summary>The trained network. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The training history: metrics per epoch.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    IInitialWeights INetworkHolder.InitialWeights => Model;

    /// <summary>Whether there is a full window, and its values: see <see cref="WindowDataView"/>.</summary>
    internal override FeatureFormat Format { get; }


    internal override IReadOnlyList<OutputColumn> Outputs { get; }

    internal override double MultiplyAdds => _architecture.MultiplyAdds;

    private protected override string WhyNoRowMapping =>
        "A forecast needs previous rows, so a PredictionEngine, which gets single rows, cannot compute it. Call Forecast(history) on the model, with the past values of a series or a data view of them, or Transform.";

    /// <summary>Forecasts the next values of a series, without a data view.</summary>
    /// <param name="history">The past values, the latest one last; at least <see cref="WindowSize"/>.</param>
    /// <returns>The next <see cref="Horizon"/> values.</returns>
    /// <exception cref="ArgumentException">There are too few values.</exception>
    /// <exception cref="FormatException">A value that the forecast uses is NaN or infinite.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model has extra inputs: use <see cref="NetworkColumnsTransformer.Transform"/>.
    /// </exception>
    public float[] Forecast(IEnumerable<float> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        if (_names.Extra.Count > 0)
            throw new InvalidOperationException($"The model has the extra inputs {string.Join(", ", _names.Extra)}; use Transform.");
        var values = history.ToArray();
        if (values.Length < WindowSize)
            throw new ArgumentException(FormattableString.Invariant($"The history has {values.Length} values; the model needs at least {WindowSize}."), nameof(history));
        var bad = Array.FindIndex(values, values.Length - WindowSize, value => !float.IsFinite(value));
        if (bad >= 0)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"history[{bad}] is {values[bad]}; it must be finite."));
        using var lease = Lease();
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(MultiplyAdds));
        var window = tensor([1, .. values.AsSpan(^WindowSize..)], dtype: ScalarType.Float32, device: CPU).unsqueeze(0);
        return TensorMemory.Floats(Compute(window, [0])[0]).ToArray();
    }

    /// <summary>Forecasts in the unit of the series; NaN without a full window.</summary>
    internal override Tensor[] Compute(Tensor features, int[] active)
    {
        var rows = (int)features.shape[0];
        var source = TensorMemory.Floats(features);
        var windows = zeros([rows, _architecture.InputCount], ScalarType.Float32, CPU);
        var scaled = TensorMemory.Floats(windows);
        var units = new WindowUnit?[rows];
        for (var row = 0; row < rows; row++)
        {
            var raw = source.Slice(row * Format.Width, Format.Width);
            if (raw[0] == 0)
                continue;
            var window = scaled.Slice(row * _architecture.InputCount, _architecture.InputCount);
            raw[1..].CopyTo(window);
            units[row] = _scale.Apply(window);
        }
        var forecasts = Model.Network.call(windows).contiguous();
        var values = TensorMemory.Floats(forecasts);
        for (var i = 0; i < rows * Horizon; i++)
            values[i] = units[i / Horizon] is { } unit ? unit.Restore(values[i]) : float.NaN;
        return [forecasts];
    }

    internal override IReadOnlyList<string> Write(OnnxContext context, string rows) => [new WindowGraph(Model.CreateGraph(context), _architecture, _scale).Write(rows)];

    private protected override string WriteRows(GraphWriter graph, OnnxColumns columns)
    {
        if (GroupColumnName is { } group)
            throw columns.NotExportable($"column '{group}' tells several series apart, and in ONNX the rows of a batch are one. Train without GroupColumnName");
        if (_names.In(columns.Schema).Time is { } time)
            throw columns.NotExportable($"ONNX cannot check the times in column '{time}'. Convert on data without it, whose rows are equally spaced in time");
        var values = new[] { _names.Value }.Concat(_names.Extra).Select(name => columns.Schema[name]).Select(column => columns.Floats(graph, column, FeatureReader.WidthOf(column)));
        return new WindowGraph(graph, _architecture, _scale).WriteWindows(graph.Concatenate(1, values.ToArray()));
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema) => schema[OutputColumnName];

    /// <summary>Adds the column of windows, which the forecast column of the same name hides.</summary>
    private protected override IDataView Prepare(IDataView input) => AddWindows(input, rows: null);

    /// <summary>Forecasts after some rows only: in the others, values may be missing, and the forecasts are NaN.</summary>
    /// <param name="input">The series.</param>
    /// <param name="rows">The numbers of the rows.</param>
    internal IDataView TransformEnds(IDataView input, IReadOnlySet<long> rows) => TransformPrepared(input, AddWindows(input, rows));

    private WindowDataView AddWindows(IDataView input, IReadOnlySet<long>? rows)
    {
        var columns = SeriesColumns.Find(input.Schema, _names.In(input.Schema));
        var width = _architecture.StepWidth;
        if (columns.Width != width)
            throw new ArgumentException(FormattableString.Invariant($"The extra columns {string.Join(", ", _names.Extra)} have {columns.Width - 1} values; the model was trained on {width - 1}."), nameof(input));
        return new WindowDataView(input, columns, WindowSize, OutputColumnName, rows);
    }

    // Without a time column the file is the same as ever, and older versions can read it.
    private protected override VersionInfo CreateVersionInfo() => _names.Time == null ? ModelVersion.Of(ModelSignature, LoaderSignature) : GetVersionInfo();

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(_names.Value);
        ctx.SaveStringOrNull(_names.Group);
        ctx.Writer.Write(_names.Extra.Count);
        foreach (var name in _names.Extra)
            ctx.SaveNonEmptyString(name);
        if (_names.Time != null)
        {
            ctx.SaveNonEmptyString(_names.Time);
            ctx.Writer.Write((int)_names.Gaps);
        }
        ctx.SaveModel(Model, NetworkFolder);
    }

    internal static LstmForecastingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var output = ctx.LoadNonEmptyString();
        var value = ctx.LoadNonEmptyString();
        var group = ctx.LoadStringOrNull();
        var extra = new List<string>();
        for (var left = ctx.Reader.ReadInt32(); left > 0; left--)
            extra.Add(ctx.LoadNonEmptyString());
        var names = new SeriesColumnNames(value, extra, group);
        if (ctx.Header.ModelVerWritten >= ModelVersion.Second)
            names = names with { Time = ctx.LoadNonEmptyString(), Gaps = (TimeGapHandling)ctx.Reader.ReadInt32() };
        if (!Enum.IsDefined(names.Gaps))
            throw new ModelFormatException("Model.key", $"holds the handling {names.Gaps} of gaps in time, which is not a valid value");
        var model = ctx.LoadNetwork(env, NetworkFolder, "a forecasting network", IsForecaster);
        return new LstmForecastingTransformer(env, model, output, names);

        static bool IsForecaster(NetworkModelParameters model) =>
            model is { Head: ForecastHead head, Architecture: ForecastArchitecture architecture } && head.Scale.Means.Count == architecture.StepWidth;
    }

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature, ModelVersion.Second);
}
