using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Autoencoder;

/// <summary>The step of an autoencoder: how far the reconstructed features are from the features.</summary>
internal sealed class AutoencoderStep(TrainedNetwork network, AutoencoderOutput output) : PredictionStep<RowBatch>(network)
{
    protected override Tensor InputsOf(RowBatch batch) => batch.Features;

    protected override Tensor Loss(Tensor outputs, RowBatch batch) => output == AutoencoderOutput.Probability
        ? nn.functional.binary_cross_entropy_with_logits(outputs, batch.Features)
        : nn.functional.mse_loss(outputs, batch.Features);

    protected override void Measure(Tensor outputs, RowBatch batch, MetricSums metrics)
    {
        using var noGradient = no_grad();
        var means = output == AutoencoderOutput.Probability ? outputs.sigmoid() : outputs;
        metrics.Add("mse", nn.functional.mse_loss(means, batch.Features).item<float>() * (double)batch.RowCount);
    }
}
