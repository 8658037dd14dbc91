using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>Draws the initial weights of a module from its own generator; the initializers of libtorch use that of the process.</summary>
internal static class WeightInitializer
{
    // The probability mass of the normal distribution within two standard deviations.
    private const double MassWithinTwo = 0.9544997361036416;

    /// <summary>
    /// Draws weights of two or more dimensions, and sets biases to 0 or draws them, too. Normalization and PReLU slopes keep their defaults.
    /// </summary>
    public static void Initialize(nn.Module module, WeightInitialization scheme, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var generator = new Generator(seed);
        var parameters = module.named_parameters().ToArray();
        foreach (var (name, parameter) in parameters)
        {
            if (parameter.dim() >= 2)
                Draw(parameter, scheme, generator);
            else if (name.AsSpan(name.LastIndexOf('.') + 1).Contains("bias", StringComparison.Ordinal))
                SetBias(parameter, scheme, WeightOf(name), generator);
        }

        // Those of a recurrent layer have numbers at the end.
        Tensor? WeightOf(string bias) => Array.Find(parameters, entry => entry.parameter.dim() >= 2 && entry.name == bias.Replace("bias", "weight", StringComparison.Ordinal)).parameter;
    }

    private static void SetBias(Tensor bias, WeightInitialization scheme, Tensor? weight, Generator generator)
    {
        if (scheme == WeightInitialization.FanInUniform && weight is not null)
            Uniform(bias, 1 / Math.Sqrt(Connections(weight).Inputs), generator);
        else
            bias.zero_();
    }

    /// <summary>The numbers of inputs and outputs of a unit.</summary>
    private static (double Inputs, double Outputs) Connections(Tensor weight)
    {
        // [outputs, inputs, kernel...]: every position of a kernel is another connection.
        var receptiveField = weight.shape.Skip(2).Aggregate(1L, (product, size) => product * size);
        return (weight.shape[1] * receptiveField, weight.shape[0] * receptiveField);
    }

    private static void Draw(Tensor weight, WeightInitialization scheme, Generator generator)
    {
        var (inputs, outputs) = Connections(weight);
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
            case WeightInitialization.FanInUniform:
                Uniform(weight, 1 / Math.Sqrt(inputs), generator);
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
