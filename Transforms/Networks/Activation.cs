using System.Text.Json.Serialization;
using MLExtensions.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>The activation function of a layer.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Activation>))]
public enum Activation
{
    /// <summary>x: no activation function, a linear layer.</summary>
    Identity,

    /// <summary>1 / (1 + exp(-x)).</summary>
    Sigmoid,

    /// <summary>tanh(x).</summary>
    Tanh,

    /// <summary>max(0, x); Nair and Hinton, 2010.</summary>
    ReLU,

    /// <summary>x for x &gt; 0, else 0.01 x; Maas, Hannun and Ng, 2013.</summary>
    LeakyReLU,

    /// <summary>x for x &gt; 0, else a x with one learned a per layer, initially 0.25; He, Zhang, Ren and Sun, 2015.</summary>
    PReLU,

    /// <summary>x for x &gt; 0, else exp(x) - 1; Clevert, Unterthiner and Hochreiter, 2015.</summary>
    ELU,

    /// <summary>log(1 + exp(x)).</summary>
    Softplus,

    /// <summary>x / (1 + |x|).</summary>
    Softsign,

    /// <summary>x Φ(x), Φ being the normal distribution function; Hendrycks and Gimpel, 2016.</summary>
    GELU,
}

/// <summary>Applies activation functions.</summary>
internal static class ActivationFunctions
{
    private const double LeakySlope = 0.01;

    /// <summary>Applies a function without parameters to a tensor that nothing else uses, in place if possible.</summary>
    public static Tensor Apply(this Activation activation, Tensor x) => activation switch
    {
        Activation.Identity => x,
        Activation.Sigmoid => x.sigmoid_(),
        Activation.Tanh => x.tanh_(),
        Activation.ReLU => x.relu_(),
        Activation.LeakyReLU => x.leaky_relu_(Number.Of(LeakySlope)),
        Activation.ELU => x.elu_(Number.One, Number.One, Number.One),
        Activation.Softplus => nn.functional.logsigmoid(x.neg()).neg(),
        Activation.Softsign => x.div(x.abs().add(Number.One, Number.One)),
        Activation.GELU => nn.functional.gelu(x),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "An activation with parameters needs its own layer."),
    };

    /// <summary>Applies a function without parameters without changing its argument.</summary>
    public static Tensor ApplyToCopy(this Activation activation, Tensor x) => activation switch
    {
        Activation.Sigmoid => x.sigmoid(),
        Activation.Tanh => x.tanh(),
        Activation.ReLU => x.relu(),
        Activation.LeakyReLU => x.leaky_relu(Number.Of(LeakySlope)),
        Activation.ELU => x.elu(Number.One, Number.One, Number.One),
        _ => activation.Apply(x),
    };
}

/// <summary>max(0, x) + a min(0, x) with a learned slope a, .25 at first; He et al., 2015.</summary>
internal sealed class ParametricReLU : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight = new(full([1], Number.Of(0.25f), ScalarType.Float32, CPU));

    public ParametricReLU()
        : base(nameof(ParametricReLU)) => RegisterComponents();

    public override Tensor forward(Tensor x) => x.prelu(weight);
}
