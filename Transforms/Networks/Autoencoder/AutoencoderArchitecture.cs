using System.Text.Json.Serialization;
using MLExtensions.Networks.Autoencoder;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A deep autoencoder: fully connected layers that make a code of the features, and as many, the other way round, that make the features of
/// the code.
/// </summary>
/// <remarks>
/// Its weights are <c>encoder.0.weight [units, features]</c>, <c>encoder.0.bias</c> and so on up to the code, then <c>decoder.0</c>, which
/// reads the code, and so on down to the features. Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", 2006.
/// </remarks>
public sealed record AutoencoderArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "autoencoder";

    /// <summary>The layers from the features to the code, which is the last; the decoder's are the same sizes and hidden activations backwards.</summary>
    public required IReadOnlyList<AutoencoderLayer> EncoderLayers { get; init; }

    /// <summary>What the features are.</summary>
    public required AutoencoderOutput Output { get; init; }

    /// <summary>The number of values of the code.</summary>
    [JsonIgnore]
    public int CodeSize => EncoderLayers[^1].Units;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount
    {
        get
        {
            long count = 0;
            long width = InputCount;
            foreach (var layer in EncoderLayers)
            {
                count = checked(count + (2 * width * layer.Units) + width + layer.Units);
                width = layer.Units;
            }
            return count;
        }
    }

    /// <inheritdoc/>
    public bool Equals(AutoencoderArchitecture? other) =>
        base.Equals(other) && Output == other.Output && EncoderLayers.SequenceEqual(other.EncoderLayers);

    /// <inheritdoc/>
    public override int GetHashCode() => EncoderLayers.Aggregate(HashCode.Combine(base.GetHashCode(), Output), HashCode.Combine);

    internal override int MinimumBatchRows => 1;

    /// <summary>The output has as many values as the input, so it is no layer that could be exchanged: there is none of this name.</summary>
    internal override string OutputLayer => "output";

    internal override nn.Module<Tensor, Tensor> CreateModule() => new AutoencoderNetwork(this);

    internal override void Check()
    {
        base.Check();
        if (OutputCount != InputCount)
            throw new FormatException($"outputCount is {OutputCount}; it must be inputCount, {InputCount}.");
        if (!Enum.IsDefined(Output))
            throw new FormatException($"output is {Output}, which is no kind of output.");
        if (EncoderLayers == null || EncoderLayers.Count == 0)
            throw new FormatException("encoderLayers is empty; its last layer is the code.");
        for (var i = 0; i < EncoderLayers.Count; i++)
            CheckLayer(EncoderLayers[i], $"encoderLayers[{i}]");
    }

    private static void CheckLayer(AutoencoderLayer? layer, string name)
    {
        if (layer == null)
            throw new FormatException($"{name} is null.");
        if (layer.Units < 1)
            throw new FormatException($"{name}.units is {layer.Units}; it must be at least 1.");
        if (!Enum.IsDefined(layer.Activation) || layer.Activation == Activation.PReLU)
            throw new FormatException($"{name}.activation is {layer.Activation}; it must be an activation without parameters.");
    }
}

/// <summary>A layer of an autoencoder's encoder: linear, then the activation.</summary>
/// <param name="Units">The number of units.</param>
/// <param name="Activation">The activation function; not <see cref="Activation.PReLU"/>.</param>
public sealed record AutoencoderLayer(int Units, Activation Activation);
