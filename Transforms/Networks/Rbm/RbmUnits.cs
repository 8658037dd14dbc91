using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>What the visible units of a restricted Boltzmann machine are.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VisibleUnitType>))]
public enum VisibleUnitType
{
    /// <summary>0 or 1, each with a probability; values in [0, 1] stand for probabilities. Smolensky, 1986.</summary>
    Bernoulli,

    /// <summary>Real numbers with normal noise of variance 1: the values should have mean 0 and variance 1. Welling, Rosen-Zvi and Hinton, 2005.</summary>
    Gaussian,

    /// <summary>One of several categories, a unit a category, of which one is 1; Salakhutdinov, Mnih and Hinton, 2007.</summary>
    Softmax,
}

/// <summary>What the hidden units of a restricted Boltzmann machine are.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HiddenUnitType>))]
public enum HiddenUnitType
{
    /// <summary>0 or 1, each with a probability.</summary>
    Bernoulli,

    /// <summary>max(0, x) with noise of variance sigmoid(x); Nair and Hinton, 2010. Takes a smaller learning rate than Bernoulli units.</summary>
    ReLU,

    /// <summary>x with normal noise of variance 1, as for a code of real numbers (Hinton and Salakhutdinov, 2006). Takes a far smaller learning rate than Bernoulli units.</summary>
    Gaussian,
}
