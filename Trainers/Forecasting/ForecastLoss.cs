using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>What a forecasting network minimises, on the scaled values.</summary>
public enum ForecastLoss
{
    /// <summary>The squared error: forecasts are means.</summary>
    Squared,

    /// <summary>The absolute error: forecasts are medians, and outliers count less.</summary>
    Absolute,

    /// <summary>Squared up to an error of 1, from there on absolute (Huber, 1964).</summary>
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
