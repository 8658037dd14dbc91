using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Gan;

/// <summary>Computes adversarial losses from logits, means over the batch.</summary>
internal static class AdversarialLosses
{
    /// <param name="loss">The loss.</param>
    /// <param name="real">The logits of real samples.</param>
    /// <param name="generated">The logits of generated samples.</param>
    /// <param name="smoothing">What is missing to 1 in the answer that is right for real samples.</param>
    public static Tensor OfDiscriminator(AdversarialLoss loss, Tensor real, Tensor generated, double smoothing) => loss switch
    {
        AdversarialLoss.NonSaturating or AdversarialLoss.Minimax => CrossEntropyOfReal(real, smoothing).sub(LogSigmoid(generated.neg()).mean()),
        AdversarialLoss.LeastSquares => SquareAround(real, 1 - smoothing).add(SquareAround(generated, 0), Number.One).mul(Number.Of(0.5)),
        AdversarialLoss.Hinge => Hinge(real.neg()).add(Hinge(generated), Number.One),
        AdversarialLoss.WassersteinGradientPenalty => generated.mean().sub(real.mean()),
        _ => throw new ArgumentOutOfRangeException(nameof(loss), loss, "Unknown loss."),
    };

    /// <param name="loss">The loss.</param>
    /// <param name="generated">The logits of generated samples.</param>
    public static Tensor OfGenerator(AdversarialLoss loss, Tensor generated) => loss switch
    {
        AdversarialLoss.NonSaturating => LogSigmoid(generated).neg().mean(),
        AdversarialLoss.Minimax => LogSigmoid(generated.neg()).mean(),
        AdversarialLoss.LeastSquares => SquareAround(generated, 1).mul(Number.Of(0.5)),
        _ => generated.mean().neg(),
    };

    /// <summary>
    /// The mean of (length of the gradient - 1)^2 of the discriminator's output for points between real and generated inputs, each at its
    /// own random place. The gradient is that by the samples: their labels are what they are.
    /// </summary>
    /// <param name="discriminate">The discriminator.</param>
    /// <param name="real"><c>[rows, values]</c>.</param>
    /// <param name="generated"><c>[rows, values]</c>, without a graph.</param>
    /// <param name="sampleValues">How many of the first values are samples; labels follow.</param>
    /// <param name="generator">Draws the places.</param>
    public static Tensor GradientPenalty(Func<Tensor, Tensor> discriminate, Tensor real, Tensor generated, long sampleValues, Generator? generator)
    {
        var share = rand([real.shape[0], 1], dtype: ScalarType.Float32, device: CPU, generator: generator).to(real.device);
        var between = generated.add(share * real.sub(generated), Number.One).detach().requires_grad_(true);
        var logits = discriminate(between);
        // With create_graph alone libtorch ends the process.
        var gradients = autograd.grad([logits], [between], [ones_like(logits)], retain_graph: true, create_graph: true)[0].narrow(1, 0, sampleValues);
        return SquareAround(gradients.pow(Number.Of(2)).sum(1).clamp_min(Number.Of(1e-12)).sqrt(), 1);
    }

    /// <summary>The share of logits on the right side.</summary>
    public static double ShareRight(Tensor real, Tensor generated, AdversarialLoss loss, out double ofGenerated)
    {
        // Least squares decides between 1 and 0.
        var limit = loss == AdversarialLoss.LeastSquares ? 0.5f : 0;
        ofGenerated = generated.lt(Number.Of(limit)).to(ScalarType.Float32).mean().item<float>();
        return real.gt(Number.Of(limit)).to(ScalarType.Float32).mean().item<float>();
    }

    private static Tensor LogSigmoid(Tensor x) => nn.functional.logsigmoid(x);

    /// <summary>The cross entropy of logits and the answer 1 - smoothing.</summary>
    private static Tensor CrossEntropyOfReal(Tensor real, double smoothing)
    {
        var loss = LogSigmoid(real).neg();
        return (smoothing == 0 ? loss : loss.add(real, Number.Of(smoothing))).mean();
    }

    private static Tensor SquareAround(Tensor x, double center) => x.sub(Number.Of(center)).pow(Number.Of(2)).mean();

    private static Tensor Hinge(Tensor x) => x.add(Number.One, Number.One).relu().mean();
}
