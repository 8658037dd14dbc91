using MLExtensions.Engine;
using MLExtensions.Families.Forecasting;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>The training step of a forecasting network. The loss covers all time steps of the horizon, on the scaled values.</summary>
internal sealed class ForecastStep(TrainedNetwork network, ForecastLoss loss) : PredictionStep<WindowBatch>(network)
{
    protected override Tensor InputsOf(WindowBatch batch) => batch.Windows;

    protected override Tensor Loss(Tensor outputs, WindowBatch batch) => loss.Compute(outputs, batch.Values);

    /// <summary>The errors in the unit of the series.</summary>
    protected override void Measure(Tensor outputs, WindowBatch batch, MetricSums metrics)
    {
        var forecast = TensorMemory.Floats(outputs.cpu().contiguous());
        var horizon = batch.Horizon;
        double absolute = 0;
        double squares = 0;
        for (var row = 0; row < batch.RowCount; row++)
        {
            var values = batch.ValuesOf(row);
            for (var step = 0; step < horizon; step++)
            {
                var error = (forecast[(row * horizon) + step] - values[step]) * (double)batch.UnitOf(row);
                absolute += Math.Abs(error) / horizon;
                squares += error * error / horizon;
            }
        }
        metrics.Add("mae", absolute);
        metrics.Add("rmse", squares, MetricMean.RootOfSquares);
    }
}

/// <summary>The loss that a forecasting network minimizes, on the scaled values.</summary>
public enum ForecastLoss
{
    /// <summary>The squared error: forecasts estimate the mean.</summary>
    Squared,

    /// <summary>The absolute error: forecasts estimate the median, and outliers have less influence.</summary>
    Absolute,

    /// <summary>Squared up to an error of 1, absolute beyond it (Huber, 1964).</summary>
    Huber,
}

/// <summary>Computes losses.</summary>
internal static class ForecastLosses
{
    public static Tensor Compute(this ForecastLoss loss, Tensor forecasts, Tensor values) => loss switch
    {
        ForecastLoss.Absolute => nn.functional.l1_loss(forecasts, values),
        ForecastLoss.Huber => nn.functional.huber_loss(forecasts, values),
        _ => nn.functional.mse_loss(forecasts, values),
    };
}
