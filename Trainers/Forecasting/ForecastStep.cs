using MLExtensions.Tensors;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Forecasting;

/// <summary>The step of a forecasting network: the errors of all steps of the horizon, on the scaled values.</summary>
internal sealed class ForecastStep : TrainingStep
{
    private readonly nn.Module<Tensor, Tensor> _network;
    private readonly LstmForecaster.Options _options;
    private readonly ParameterSet _parameters;
    private readonly ParameterUpdater _updater;
    private readonly DropoutGenerator _dropout;

    /// <param name="network">The network with its first weights, float32 on the CPU; taken over.</param>
    /// <param name="options">The options.</param>
    /// <param name="seed">The seed of dropout.</param>
    /// <param name="device">Where to train.</param>
    public ForecastStep(nn.Module<Tensor, Tensor> network, LstmForecaster.Options options, int seed, Device device)
    {
        _network = network;
        _options = options;
        Device = device;
        if (device.type != DeviceType.CPU)
            network.to(device);
        _parameters = new ParameterSet(network, options.Precision, new LayerSelection(options.FrozenLayers, options.LayerRules));
        _updater = new ParameterUpdater(_parameters, options, get_num_threads());
        _dropout = new DropoutGenerator(network, seed, device);
    }

    public override IReadOnlyList<(string Name, ParameterUpdater Updater)> Updaters => [("network", _updater)];

    public override Device Device { get; }

    public override void BeginEpoch(int epoch)
    {
        _parameters.BeginTraining();
        _dropout.BeginEpoch(epoch);
    }

    public override double Train(Batch batch, double learningRate, MetricSums metrics)
    {
        var forecasts = Forward(batch.Features);
        var loss = Loss(forecasts, batch);
        var value = loss.item<float>();
        if (!float.IsFinite(value))
            return value;
        loss.backward();
        _updater.Apply(learningRate);
        Measure(forecasts, batch, metrics);
        return value;
    }

    public override void BeginValidation() => _network.eval();

    public override double Validate(Batch batch, MetricSums metrics)
    {
        using var mode = inference_mode();
        var forecasts = Forward(batch.Features);
        Measure(forecasts, batch, metrics);
        return Loss(forecasts, batch).item<float>();
    }

    /// <inheritdoc cref="ParameterUpdater.Export"/>
    public nn.Module<Tensor, Tensor> Export(NetworkArchitecture architecture) => _updater.Export(architecture);

    public override void Dispose()
    {
        _updater.Dispose();
        _parameters.Dispose();
        _network.Dispose();
        _dropout.Dispose();
    }

    private Tensor Forward(Tensor windows) => _options.Precision == Precision.BFloat16
        ? _network.call(windows.to(ScalarType.BFloat16)).to(ScalarType.Float32)
        : _network.call(windows);

    private Tensor Loss(Tensor forecasts, Batch batch) => _options.Loss.Compute(forecasts, batch.Labels.narrow(1, 0, _options.Horizon));

    /// <summary>The errors in the unit of the series.</summary>
    private void Measure(Tensor forecasts, Batch batch, MetricSums metrics)
    {
        var horizon = _options.Horizon;
        var forecast = TensorMemory.Floats(forecasts.detach().cpu().contiguous());
        double absolute = 0;
        double squares = 0;
        for (var row = 0; row < batch.RowCount; row++)
        {
            var values = batch.LabelValues.Slice(row * (horizon + 1), horizon + 1);
            for (var step = 0; step < horizon; step++)
            {
                var error = (forecast[(row * horizon) + step] - values[step]) * (double)values[horizon];
                absolute += Math.Abs(error) / horizon;
                squares += error * error / horizon;
            }
        }
        metrics.Add("mae", absolute);
        metrics.Add("rmse", squares, MetricMean.RootOfSquares);
    }
}
