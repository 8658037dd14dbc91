using MLExtensions.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Networks;

/// <summary>
/// Creates the parameters and layers of networks: float32 on the CPU, whatever the defaults of the process are, and without using its
/// random generator. The weights are zeros until a training or a file sets them.
/// </summary>
internal static class Layers
{
    /// <summary>What batch normalization adds to the variance, unless a layer says otherwise.</summary>
    public const double NormalizationEpsilon = 1e-5;

    public static Parameter Weights(params ReadOnlySpan<long> shape) => new(zeros(shape, ScalarType.Float32, CPU));

    public static Linear Linear(long inputs, long outputs, bool hasBias = true) =>
        nn.Linear(Weights(outputs, inputs), hasBias ? Weights(outputs) : null);

    /// <summary>One layer and direction.</summary>
    public static nn.Module Recurrent(RecurrentCell cell, long inputs, long units)
    {
        using var generator = new KeptGenerator();
        return cell switch
        {
            RecurrentCell.Lstm => nn.LSTM(inputs, units, device: CPU, dtype: ScalarType.Float32),
            RecurrentCell.Gru => nn.GRU(inputs, units, device: CPU, dtype: ScalarType.Float32),
            _ => nn.RNN(inputs, units, device: CPU, dtype: ScalarType.Float32),
        };
    }

    public static BatchNormalization BatchNormalization(long channels, double epsilon = NormalizationEpsilon, double momentum = 0.1) => new(channels, epsilon, momentum);
}

/// <summary>The vectors of tokens. Networks look them up themselves.</summary>
internal sealed class EmbeddingTable : nn.Module
{
    private readonly Parameter weight;

    public EmbeddingTable(long count, long size)
        : base(nameof(EmbeddingTable))
    {
        weight = Layers.Weights(count, size);
        RegisterComponents();
    }

    /// <summary><c>[tokens, size]</c>.</summary>
    public Parameter Weight => weight;
}
