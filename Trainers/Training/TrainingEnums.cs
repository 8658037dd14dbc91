using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>The number format of the computation during training. Saved weights are always 32-bit.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Precision>))]
public enum Precision
{
    /// <summary>32-bit floating point.</summary>
    Float32,

    /// <summary>
    /// 16-bit brain floating point for activations and gradients, with 32-bit master weights, optimizer state and batch normalization
    /// (Micikevicius et al., 2018). Faster for wide layers on processors with bfloat16 instructions.
    /// </summary>
    BFloat16,

    /// <summary>
    /// 32-bit floating point, but matrix products, convolutions and recurrent layers round their factors to 10 bits of mantissa (TF32): several times
    /// as fast on NVIDIA GPUs from Ampere (2020) on. On the CPU it is <see cref="Float32"/>, with a warning.
    /// </summary>
    /// <remarks>
    /// libtorch has one setting for the whole process, which a training on a GPU sets and puts back: trainings on GPUs at the same time in one process
    /// should have the same precision.
    /// </remarks>
    TensorFloat32,
}

/// <summary>Where the training data is kept during training.</summary>
public enum Buffering
{
    /// <summary>
    /// Read once into native memory: 4 bytes per feature and row. Text and sequences of unknown length are read up to two times before, to
    /// find the vocabulary and the longest sequence.
    /// </summary>
    InMemory,

    /// <summary>
    /// Read again in each epoch, on a thread of its own, through a shuffle buffer of <c>ShuffleBufferRows</c> rows: with n epochs 1 + n passes over the training
    /// data, and 2 + 2n if a fraction of it is held out; 2 + n passes over validation data. Groups, a vocabulary, and the length of sequences
    /// take one more pass each; an RBM reads once more for each layer. Language models and sequence to sequence read the texts once for
    /// their tokens, whatever the number of epochs, and keep these in a temporary file. Every pass must give the same rows, or training
    /// stops with an exception.
    /// </summary>
    Streaming,
}

/// <summary>
/// How the weights of linear layers are initialized; biases are initialized to 0 unless the value says otherwise.
/// </summary>
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

    /// <summary>
    /// Normal with a standard deviation of 0.01; Hinton, "A Practical Guide to Training Restricted Boltzmann Machines", 2010.
    /// </summary>
    SmallNormal,

    /// <summary>
    /// Weights and biases uniform in ±1 / sqrt(inputs): the default of PyTorch's layers. With few inputs, random biases put the kinks of
    /// ReLU and maxout units where the data is, instead of all through the origin.
    /// </summary>
    FanInUniform,
}

/// <summary>How closely a file of initial weights must match the network.</summary>
public enum WeightMatch
{
    /// <summary>
    /// Like <see cref="Strict"/>, except that an output layer with another number of classes or outputs is not loaded. The network's own
    /// output layer is then initialized randomly.
    /// </summary>
    ExceptOutput,

    /// <summary>
    /// File and network must have the same tensors, by name and shape. The batch counters of batch normalization
    /// (<c>num_batches_tracked</c>) may be missing.
    /// </summary>
    Strict,

    /// <summary>All matching tensors are loaded, at least one; the rest of the network is initialized randomly.</summary>
    Partial,
}

/// <summary>What a loader does with a file that is not a valid image, damaged or truncated.</summary>
public enum BadImageHandling
{
    /// <summary>Throws a <see cref="FormatException"/> that names the file when its image is read.</summary>
    Throw,

    /// <summary>Skips the file and names it in a warning on <c>MLContext.Log</c>.</summary>
    Skip,
}
