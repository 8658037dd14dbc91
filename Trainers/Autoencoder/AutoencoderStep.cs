using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Autoencoder;

/// <summary>The step of an autoencoder: how far the reconstructed features are from the features.</summary>
internal sealed class AutoencoderStep(nn.Module<Tensor, Tensor> network, AutoencoderOutput output, AutoencoderEstimator.Options options, int seed, Device device)
    : SingleNetworkStep(network, options, seed, device)
{
    public override double Train(Batch batch, double learningRate, MetricSums metrics)
    {
        var outputs = Forward(batch.Features);
        var loss = Descend(Loss(outputs, batch), learningRate);
        if (double.IsFinite(loss))
            Measure(outputs, batch, metrics);
        return loss;
    }

    public override double Validate(Batch batch, MetricSums metrics)
    {
        using var mode = inference_mode();
        var outputs = Forward(batch.Features);
        Measure(outputs, batch, metrics);
        return Loss(outputs, batch).item<float>();
    }

    private Tensor Loss(Tensor outputs, Batch batch) => output == AutoencoderOutput.Probability
        ? nn.functional.binary_cross_entropy_with_logits(outputs, batch.Features)
        : nn.functional.mse_loss(outputs, batch.Features);

    private void Measure(Tensor outputs, Batch batch, MetricSums metrics)
    {
        using var noGradient = no_grad();
        var means = output == AutoencoderOutput.Probability ? outputs.sigmoid() : outputs;
        metrics.Add("mse", nn.functional.mse_loss(means, batch.Features).item<float>() * (double)batch.RowCount);
    }
}
