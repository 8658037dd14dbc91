using MLExtensions.Networks;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>An activation function.</summary>
/// <param name="Activation">The function.</param>
public sealed record ActivationLayer(Activation Activation = Activation.ReLU) : ImageLayer
{
    internal override string Title => Activation.ToString();

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(Enum.IsDefined(Activation), site, $"{Activation} is not a valid activation.");
        return input;
    }

    internal override long ParameterCount(LayerShape input, LayerSite site) => Activation == Activation.PReLU ? 1 : 0;

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site)
    {
        if (Activation == Activation.PReLU)
            return new ParametricReLU();
        var activation = Activation;
        return site.OwnsInput
            ? new FunctionModule(activation.ToString(), x => activation.Apply(x))
            : new FunctionModule(activation.ToString(), x => activation.ApplyToCopy(x));
    }
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
}
