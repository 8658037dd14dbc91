using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Families.Forecasting;
using MLExtensions.Families.Recurrent;
using MLExtensions.Networks;
using TorchSharp.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// Recurrent layers over the last time steps of a series, and a linear layer from their last state to all time steps of the horizon (the
/// direct strategy: no forecast is fed back).
/// </summary>
public sealed record ForecastArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "recurrent-forecast";

    /// <summary>The number of time steps in the input.</summary>
    public required int WindowSize { get; init; }

    /// <summary>The recurrent layers.</summary>
    public required RecurrentLayers Recurrent { get; init; }

    /// <summary>The dropout rate of the last state.</summary>
    public double Dropout { get; init; }

    /// <summary>The number of values per time step: the value of the series, then the extra inputs.</summary>
    [JsonIgnore]
    public int StepWidth => InputCount / WindowSize;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount =>
        checked(Recurrent.ParameterCount(StepWidth) + ((Recurrent.OutputCount + 1L) * OutputCount));

    // Of one time step only: time steps are sequential, so threads can share only the work of one.
    internal override double MultiplyAdds => Recurrent.MultiplyAdds(StepWidth);

    internal override double ValuesPerRow => base.ValuesPerRow + ((double)WindowSize * Recurrent.OutputCount * Recurrent.NumberOfLayers);

    internal override int MinimumBatchRows => 1;

    internal override string OutputLayer => "output";

    internal override IEnumerable<LayerDescription> Describe()
    {
        foreach (var layer in Recurrent.Describe(StepWidth, WindowSize))
            yield return layer;
        if (Dropout > 0)
            yield return LayerDescription.Dropout("dropout", Dropout, LayerDescription.Size(Recurrent.OutputCount));
        yield return LayerDescription.Dense("output", Recurrent.OutputCount, OutputCount);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule() => new ForecastNetwork(this);

    internal override string Write(GraphWriter graph, string rows)
    {
        var steps = graph.Transpose(graph.Reshape(rows, -1, WindowSize, StepWidth), 1, 0, 2);
        var last = RecurrentGraph.Write(graph, Recurrent, "recurrent", steps, StepWidth, lengths: null).Last;
        return graph.Add(graph.Dense(last, OutputLayer, Recurrent.OutputCount, OutputCount), RecurrentGraph.NotANumber(graph, steps));
    }

    internal override void Check()
    {
        base.Check();
        if (WindowSize < 1 || InputCount % WindowSize != 0)
            throw new FormatException(FormattableString.Invariant($"windowSize is {WindowSize}; it must divide inputCount {InputCount}."));
        if (Recurrent == null)
            throw new FormatException("recurrent is missing.");
        Recurrent.Check();
        if (Recurrent.Bidirectional)
            throw new FormatException("recurrent.bidirectional is true; it must be false, because forecasts need the state after the last time step.");
        if (!(Dropout >= 0 && Dropout < 1))
            throw new FormatException(FormattableString.Invariant($"dropout is {Dropout}; it must be in [0, 1)."));
    }
}

/// <summary>
/// The module of <see cref="ForecastArchitecture"/>: maps scaled windows <c>[rows, steps * width]</c> to scaled forecasts <c>[rows,
/// horizon]</c>.
/// </summary>
internal sealed class ForecastNetwork : nn.Module<Tensor, Tensor>
{
    private readonly RecurrentModule recurrent;
    private readonly SeededDropout? dropout;
    private readonly Linear output;
    private readonly int _windowSize;

    public ForecastNetwork(ForecastArchitecture architecture)
        : base(nameof(ForecastNetwork))
    {
        _windowSize = architecture.WindowSize;
        recurrent = architecture.Recurrent.CreateModule(architecture.StepWidth);
        dropout = architecture.Dropout > 0 ? new SeededDropout(architecture.Dropout) : null;
        output = Layers.Linear(architecture.Recurrent.OutputCount, architecture.OutputCount);
        RegisterComponents();
    }

    public override Tensor forward(Tensor windows)
    {
        var steps = windows.view(windows.shape[0], _windowSize, -1).transpose(0, 1).contiguous();
        var last = recurrent.Run(steps, (Tensor[]?)null).Output.select(0, _windowSize - 1);
        return output.call(dropout == null ? last : dropout.call(last));
    }
}
