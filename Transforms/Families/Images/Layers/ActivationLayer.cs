using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>An activation function.</summary>
/// <param name="Activation">The function.</param>
public sealed record ActivationLayer(Activation Activation = Activation.ReLU) : ImageLayer
{
    /// <summary>
    /// The slope of <see cref="Activation.LeakyReLU"/> below 0, in (0, 1); other functions have none. Default null: 0.01.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Slope { get; init; }

    internal override string Title => Activation.ToString();

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(Enum.IsDefined(Activation), site, $"{Activation} is not a valid activation.");
        Require(Slope is null or (> 0 and < 1), site, FormattableString.Invariant($"slope is {Slope}; it must be greater than 0 and below 1."));
        Require(Slope == null || Activation == Activation.LeakyReLU, site, $"slope is set, but only {Activation.LeakyReLU} has one.");
        return input;
    }

    internal override long ParameterCount(LayerShape input, LayerSite site) => Activation == Activation.PReLU ? 1 : 0;

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site)
    {
        if (Activation == Activation.PReLU)
            return new ParametricReLU();
        var activation = Activation;
        if (Slope is { } slope)
        {
            return site.OwnsInput
                ? new FunctionModule(activation.ToString(), x => x.leaky_relu_(Number.Of(slope)))
                : new FunctionModule(activation.ToString(), x => x.leaky_relu(Number.Of(slope)));
        }
        return site.OwnsInput
            ? new FunctionModule(activation.ToString(), x => activation.Apply(x))
            : new FunctionModule(activation.ToString(), x => activation.ApplyToCopy(x));
    }

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => graph.Activate(x, Activation, site.Path, Slope);
}

/// <summary>Dropout: sets values to zero at random in training and scales up the others. Srivastava et al., 2014.</summary>
/// <param name="Probability">The probability of a zero, in [0, 1).</param>
public sealed record DropoutLayer(double Probability = 0.5) : ImageLayer
{
    internal override string Title => FormattableString.Invariant($"dropout {Probability:0.##}");

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(Probability is >= 0 and < 1, site, FormattableString.Invariant($"probability is {Probability}; it must be in [0, 1)."));
        return input;
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => new SeededDropout(Probability);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => x;
}
