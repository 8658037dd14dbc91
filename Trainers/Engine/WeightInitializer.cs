using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>Draws the initial weights of a module from its own generator; the initializers of libtorch use that of the process.</summary>
internal static class WeightInitializer
{
    // The probability mass of the normal distribution within two standard deviations.
    private const double MassWithinTwo = 0.9544997361036416;

    /// <summary>Draws weights of two or more dimensions and sets biases to 0. Normalization and PReLU slopes keep their defaults.</summary>
    public static void Initialize(nn.Module module, WeightInitialization scheme, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var generator = new Generator(seed);
        foreach (var (name, parameter) in module.named_parameters())
        {
            if (parameter.dim() >= 2)
                Draw(parameter, scheme, generator);
            else if (name.AsSpan(name.LastIndexOf('.') + 1).Contains("bias", StringComparison.Ordinal))
                parameter.zero_();
        }
    }

    private static void Draw(Tensor weight, WeightInitialization scheme, Generator generator)
    {
        // [outputs, inputs, kernel...]: every position of a kernel is another connection.
        var receptiveField = weight.shape.Skip(2).Aggregate(1L, (product, size) => product * size);
        double inputs = weight.shape[1] * receptiveField;
        double outputs = weight.shape[0] * receptiveField;
        switch (scheme)
        {
            case WeightInitialization.XavierUniform:
                Uniform(weight, Math.Sqrt(6 / (inputs + outputs)), generator);
                break;
            case WeightInitialization.HeUniform:
                Uniform(weight, Math.Sqrt(6 / inputs), generator);
                break;
            case WeightInitialization.XavierNormal:
                weight.normal_(0, Math.Sqrt(2 / (inputs + outputs)), generator);
                break;
            case WeightInitialization.HeNormal:
                weight.normal_(0, Math.Sqrt(2 / inputs), generator);
                break;
            case WeightInitialization.ScaledNormal:
                weight.normal_(0, Math.Sqrt(1 / inputs), generator);
                break;
            case WeightInitialization.TruncatedNormal:
                TruncatedNormal(weight, Math.Sqrt(1 / inputs), generator);
                break;
            case WeightInitialization.SmallNormal:
                weight.normal_(0, 0.01, generator);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(scheme), scheme, "Unknown initialization.");
        }
    }

    private static void Uniform(Tensor weight, double bound, Generator generator) => weight.uniform_(-bound, bound, generator);

    private static void TruncatedNormal(Tensor weight, double deviation, Generator generator)
    {
        // The inverse of the distribution function, for numbers in its middle part.
        weight.uniform_(-MassWithinTwo, MassWithinTwo, generator);
        weight.erfinv_().mul_(Number.Of(Math.Sqrt(2) * deviation));
    }
}
