using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>The number format that a network computes in while it trains. Saved weights are always 32-bit.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Precision>))]
public enum Precision
{
    /// <summary>32-bit floating point.</summary>
    Float32,

    /// <summary>
    /// 16-bit brain floating point for activations and gradients, with 32-bit master weights, optimizer state and batch
    /// normalisation (Micikevicius et al., 2018). Faster for wide layers on processors with bfloat16 instructions.
    /// </summary>
    BFloat16,
}

/// <summary>Where the training data is while a network trains.</summary>
public enum Buffering
{
    /// <summary>Read once into native memory: 4 bytes a feature and row.</summary>
    InMemory,

    /// <summary>Read anew each epoch, through a shuffle buffer of <c>ShuffleBufferRows</c> rows.</summary>
    Streaming,
}

/// <summary>How the weights of linear layers start; biases start at 0.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WeightInitialization>))]
public enum WeightInitialization
{
    /// <summary>Uniform in ±sqrt(6 / (inputs + outputs)); Glorot and Bengio, 2010.</summary>
    XavierUniform,

    /// <summary>Normal with variance 2 / (inputs + outputs); Glorot and Bengio, 2010.</summary>
    XavierNormal,

    /// <summary>Uniform in ±sqrt(6 / inputs); He, Zhang, Ren and Sun, 2015.</summary>
    HeUniform,

    /// <summary>Normal with variance 2 / inputs; He, Zhang, Ren and Sun, 2015.</summary>
    HeNormal,

    /// <summary>Normal with variance 1 / inputs; LeCun, Bottou, Orr and Müller, 1998.</summary>
    ScaledNormal,

    /// <summary>As <see cref="ScaledNormal"/>, with values beyond two standard deviations drawn again.</summary>
    TruncatedNormal,

    /// <summary>Normal with a standard deviation of 0.01; Hinton, "A Practical Guide to Training Restricted Boltzmann Machines", 2010.</summary>
    SmallNormal,
}

/// <summary>How well a file of weights must fit the network that starts from it.</summary>
public enum WeightMatch
{
    /// <summary>
    /// As <see cref="Strict"/>, but an output layer for another number of classes or outputs is left out, and the network's own
    /// starts anew.
    /// </summary>
    ExceptOutput,

    /// <summary>
    /// File and network must have the same tensors, by name and shape. Batch normalisation's counters of batches
    /// (<c>num_batches_tracked</c>) may be missing.
    /// </summary>
    Strict,

    /// <summary>Whatever fits is taken, at least one tensor; the rest of the network starts anew.</summary>
    Partial,
}
