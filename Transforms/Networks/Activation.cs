using System.Text.Json.Serialization;
using TorchSharp;
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
    /// <summary>Applies a function without parameters to a tensor that nothing else uses, in place if possible.</summary>
    public static Tensor Apply(this Activation activation, Tensor x) => activation switch
    {
        Activation.Identity => x,
        Activation.Sigmoid => x.sigmoid_(),
        Activation.Tanh => x.tanh_(),
        Activation.ReLU => x.relu_(),
        Activation.LeakyReLU => nn.functional.leaky_relu(x, 0.01, inplace: true),
        Activation.ELU => nn.functional.elu(x, 1.0, inplace: true),
        Activation.Softplus => nn.functional.softplus(x),
        Activation.Softsign => nn.functional.softsign(x),
        Activation.GELU => nn.functional.gelu(x),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "An activation with parameters needs its own layer."),
    };

    /// <summary>Applies a function without parameters without changing its argument.</summary>
    public static Tensor ApplyToCopy(this Activation activation, Tensor x) => activation switch
    {
        Activation.Sigmoid => x.sigmoid(),
        Activation.Tanh => x.tanh(),
        Activation.ReLU => x.relu(),
        Activation.LeakyReLU => nn.functional.leaky_relu(x, 0.01),
        Activation.ELU => nn.functional.elu(x, 1.0),
        _ => activation.Apply(x),
    };
}
