using System.Text.Json.Serialization;
using TorchSharp.Modules;
using TorchSharp;
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
    public int LatentSize => EncoderLayers[^1].Units;

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

/// <summary>What the features of an autoencoder are, and so what its output is and how far from them it is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AutoencoderOutput>))]
public enum AutoencoderOutput
{
    /// <summary>Values in [0, 1], such as the intensity of pixels: the output is a sigmoid, training minimises the cross entropy.</summary>
    [JsonStringEnumMemberName("Probability")]
    Bernoulli,

    /// <summary>Real numbers, best of mean 0 and variance 1: the output is linear, training minimises the squared error.</summary>
    [JsonStringEnumMemberName("Real")]
    Gaussian,
}

/// <summary>The module of <see cref="AutoencoderArchitecture"/>: <c>[rows, features]</c> to the same, of probabilities their logits.</summary>
internal sealed class AutoencoderNetwork : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<Linear> encoder;
    private readonly ModuleList<Linear> decoder;
    private readonly AutoencoderArchitecture _architecture;

    public AutoencoderNetwork(AutoencoderArchitecture architecture)
        : base(nameof(AutoencoderNetwork))
    {
        _architecture = architecture;
        encoder = nn.ModuleList<Linear>();
        decoder = nn.ModuleList<Linear>();
        var widths = architecture.EncoderLayers.Select(layer => layer.Units).Prepend(architecture.InputCount).ToArray();
        for (var i = 1; i < widths.Length; i++)
        {
            encoder.Add(nn.Linear(widths[i - 1], widths[i]));
            decoder.Add(nn.Linear(widths[^i], widths[^(i + 1)]));
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor features) => Decode(Encode(features));

    /// <summary><c>[rows, features]</c> to the code, <c>[rows, code]</c>.</summary>
    public Tensor Encode(Tensor features)
    {
        var layers = _architecture.EncoderLayers;
        for (var i = 0; i < layers.Count; i++)
            features = layers[i].Activation.Apply(encoder[i].call(features));
        return features;
    }

    /// <summary>The code, which is left alone, to what <see cref="Means"/> takes, <c>[rows, features]</c>.</summary>
    public Tensor Decode(Tensor code)
    {
        var layers = _architecture.EncoderLayers;
        for (var i = 0; i < layers.Count - 1; i++)
            code = layers[^(i + 2)].Activation.Apply(decoder[i].call(code));
        return decoder[layers.Count - 1].call(code);
    }

    /// <summary>The features that the decoder's outputs stand for, in their place: probabilities of logits.</summary>
    public Tensor Means(Tensor outputs) => _architecture.Output == AutoencoderOutput.Bernoulli ? outputs.sigmoid_() : outputs;

    /// <summary>What the code says that the features were, <c>[rows, features]</c>.</summary>
    public Tensor Reconstruct(Tensor code) => Means(Decode(code));
}
