using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Forecasting;
using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(LstmForecastingTransformer), typeof(LstmForecastingTransformer), null, typeof(SignatureLoadModel), "", LstmForecastingTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds to each row the forecast of the rows of its series that follow it.</summary>
/// <remarks>
/// The rows must be in the order of time; those of several series may be mixed. A row's forecast is made from the row and the rows of
/// its series before it in the same data, as many as <see cref="WindowSize"/>; with fewer, it is NaN in every step. Each
/// pass over the data begins without history, so what is to be forecast comes with the rows before it. <see cref="NetworkColumnsTransformer.Transform"/> is
/// lazy, rows are forecast in blocks, and they are not shuffled. One transformer can be used by several threads.
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
        : base(env.Register(LoaderSignature), names.Value)
    {
        Model = model;
        OutputColumnName = outputColumnName;
        _names = names;
        _architecture = (ForecastArchitecture)model.Architecture;
        _scale = ((ForecastHead)model.Head!).Scale;
        Format = new DenseFormat(WindowDataView.WidthOf(WindowSize, _architecture.StepWidth));
        Outputs = [OutputColumn.Vector(outputColumnName, Horizon)];
    }

    /// <summary>The column that is added, a <c>Vector&lt;Single&gt;</c> of <see cref="Horizon"/> values.</summary>
    public string OutputColumnName { get; }

    /// <summary>The number of steps that a forecast looks back.</summary>
    public int WindowSize => _architecture.WindowSize;

    /// <summary>The number of steps that are forecast.</summary>
    public int Horizon => _architecture.OutputCount;

    /// <summary>The network and its weights. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>How the training went, epoch by epoch.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained here.");

    IInitialWeights INetworkHolder.InitialWeights => Model;

    /// <summary>Whether there is a full window, and the window's values: see <see cref="WindowDataView"/>.</summary>
    internal override FeatureFormat Format { get; }

    internal override IReadOnlyList<OutputColumn> Outputs { get; }

    internal override double MultiplyAdds => _architecture.MultiplyAdds;

    private protected override string WhyNoRowMapping =>
        "A forecast looks back at the rows before, so a PredictionEngine, which sees single rows, cannot make it. Call Transform on the series, or Forecast(history) on the model.";

    /// <summary>Forecasts what follows on some values, without a data view.</summary>
    /// <param name="history">The values so far, the last one at the end; at least <see cref="WindowSize"/>.</param>
    /// <returns>The next <see cref="Horizon"/> values.</returns>
    /// <exception cref="ArgumentException">There are too few values.</exception>
    /// <exception cref="FormatException">A value that the forecast looks back at is NaN or infinite.</exception>
    /// <exception cref="InvalidOperationException">The model has extra inputs: use <see cref="NetworkColumnsTransformer.Transform"/>.</exception>
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
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(MultiplyAdds));
        var window = tensor([1, .. values.AsSpan(^WindowSize..)], dtype: ScalarType.Float32).unsqueeze(0);
        return TensorMemory.Floats(Compute(window, [0])[0]).ToArray();
    }

    /// <inheritdoc/>
    public override void Dispose() => Model.Dispose();

    /// <summary>Forecasts on the series' own scale; NaN where there is no full window.</summary>
    internal override Tensor[] Compute(Tensor features, int[] active)
    {
        var rows = (int)features.shape[0];
        var source = TensorMemory.Floats(features);
        var windows = zeros([rows, _architecture.InputCount], dtype: ScalarType.Float32);
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

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema) => schema[OutputColumnName];

    /// <summary>Adds the column of windows, which that of the forecasts hides: it has the same name.</summary>
    private protected override IDataView Prepare(IDataView input)
    {
        var columns = SeriesColumns.Find(input.Schema, _names);
        var width = _architecture.StepWidth;
        if (columns.Width != width)
            throw new ArgumentException($"The extra columns {string.Join(", ", _names.Extra)} have {columns.Width - 1} values; the model was trained on {width - 1}.", nameof(input));
        return new WindowDataView(input, columns, WindowSize, OutputColumnName);
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(_names.Value);
        ctx.SaveStringOrNull(_names.Group);
        ctx.Writer.Write(_names.Extra.Count);
        foreach (var name in _names.Extra)
            ctx.SaveNonEmptyString(name);
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
        var model = ctx.LoadNetwork(env, NetworkFolder, "a network for forecasts", IsForecaster);
        return new LstmForecastingTransformer(env, model, output, new SeriesColumnNames(value, extra, group));

        static bool IsForecaster(NetworkModelParameters model) =>
            model is { Head: ForecastHead head, Architecture: ForecastArchitecture architecture } && head.Scale.Means.Count == architecture.StepWidth;
    }

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);
}
