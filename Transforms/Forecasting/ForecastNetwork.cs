using MLExtensions.Networks;
using MLExtensions.Networks.Recurrent;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Forecasting;

/// <summary>The module of <see cref="ForecastArchitecture"/>: scaled windows <c>[rows, steps * width]</c> to scaled forecasts <c>[rows, horizon]</c>.</summary>
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
        output = nn.Linear(architecture.Recurrent.OutputCount, architecture.OutputCount);
        RegisterComponents();
    }

    public override Tensor forward(Tensor windows)
    {
        var steps = windows.view(windows.shape[0], _windowSize, -1).transpose(0, 1).contiguous();
        var last = recurrent.Run(steps, (Tensor[]?)null).Output.select(0, _windowSize - 1);
        return output.call(dropout == null ? last : dropout.call(last));
    }
}
