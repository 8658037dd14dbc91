namespace MLExtensions;

/// <summary>What a restricted Boltzmann machine's output column holds.</summary>
public enum RbmOutput
{
    /// <summary>The hidden units' expected values: the probabilities of Bernoulli units.</summary>
    Probabilities,

    /// <summary>Ones and zeros, drawn by the probabilities of Bernoulli units from the seed and the row's own values: the same row always gives the same.</summary>
    Samples,
}
