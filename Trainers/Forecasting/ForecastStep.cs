using MLExtensions.Tensors;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Forecasting;

/// <summary>The step of a forecasting network: the errors of all steps of the horizon, on the scaled values.</summary>
internal sealed class ForecastStep(nn.Module<Tensor, Tensor> network, LstmForecaster.Options options, int seed, Device device)
    : SingleNetworkStep(network, options, seed, device)
{
    public override double Train(Batch batch, double learningRate, MetricSums metrics)
    {
        var forecasts = Forward(batch.Features);
        var loss = Descend(Loss(forecasts, batch), learningRate);
        if (double.IsFinite(loss))
            Measure(forecasts, batch, metrics);
        return loss;
    }

    public override double Validate(Batch batch, MetricSums metrics)
    {
        using var mode = inference_mode();
        var forecasts = Forward(batch.Features);
        Measure(forecasts, batch, metrics);
        return Loss(forecasts, batch).item<float>();
    }

    private Tensor Loss(Tensor forecasts, Batch batch) => options.Loss.Compute(forecasts, batch.Labels.narrow(1, 0, options.Horizon));

    /// <summary>The errors in the unit of the series.</summary>
    private void Measure(Tensor forecasts, Batch batch, MetricSums metrics)
    {
        var horizon = options.Horizon;
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
