using MLExtensions.Networks;
using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Messages;
using TorchSharp.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A deep autoencoder: fully connected layers that encode the features as a latent representation, and as many layers that decode it.
/// </summary>
/// <remarks>
/// Its weights are <c>encoder.0.weight [units, features]</c>, <c>encoder.0.bias</c> and so on up to the latent layer, then
/// <c>decoder.0</c>, which reads the latent representation, and so on down to the features. Hinton and Salakhutdinov, "Reducing the
/// Dimensionality of Data with Neural Networks", 2006.
/// </remarks>
public sealed record AutoencoderArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "autoencoder";

    /// <summary>
    /// The layers from the features to the latent layer, which is the last. The decoder has the same sizes and hidden activations in
    /// reverse order.
    /// </summary>
    public required IReadOnlyList<AutoencoderLayer> EncoderLayers { get; init; }

    /// <summary>What the features are.</summary>
    public required AutoencoderOutput Output { get; init; }

    /// <summary>The number of values of the latent representation.</summary>
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

    internal override double ValuesPerRow => base.ValuesPerRow + EncoderLayers.Sum(layer => (double)layer.Units);

    internal override int MinimumBatchRows => 1;

    /// <summary>The output has as many values as the input, so it cannot be exchanged: there is no layer with this name.</summary>
    internal override string OutputLayer => "output";

    internal override IEnumerable<LayerDescription> Describe()
    {
        var widths = EncoderLayers.Select(layer => layer.Units).Prepend(InputCount).ToArray();
        for (var i = 0; i < EncoderLayers.Count; i++)
            yield return LayerDescription.Dense(FormattableString.Invariant($"encoder.{i}"), widths[i], widths[i + 1], EncoderLayers[i].Activation);
        for (var i = 0; i < EncoderLayers.Count - 1; i++)
            yield return LayerDescription.Dense(FormattableString.Invariant($"decoder.{i}"), widths[^(i + 1)], widths[^(i + 2)], EncoderLayers[^(i + 2)].Activation);
        yield return LayerDescription.Dense(FormattableString.Invariant($"decoder.{EncoderLayers.Count - 1}"), widths[1], InputCount, Output == AutoencoderOutput.Bernoulli ? Activation.Sigmoid : Activation.Identity);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule() => new AutoencoderNetwork(this);

    internal override string Write(GraphWriter graph, string rows) => WriteReconstruction(graph, WriteCode(graph, rows));

    /// <summary>Writes the encoder as ONNX operators.</summary>
    internal string WriteCode(GraphWriter graph, string features)
    {
        for (var i = 0; i < EncoderLayers.Count; i++)
            features = graph.Activate(graph.Dense(features, FormattableString.Invariant($"encoder.{i}"), WidthBelow(i), EncoderLayers[i].Units), EncoderLayers[i].Activation);
        return features;
    }

    /// <summary>Writes the decoder as ONNX operators, up to the reconstructed features.</summary>
    internal string WriteReconstruction(GraphWriter graph, string code)
    {
        for (var i = EncoderLayers.Count - 1; i >= 0; i--)
        {
            var activation = i > 0 ? EncoderLayers[i - 1].Activation : Output == AutoencoderOutput.Bernoulli ? Activation.Sigmoid : Activation.Identity;
            code = graph.Activate(graph.Dense(code, FormattableString.Invariant($"decoder.{EncoderLayers.Count - 1 - i}"), EncoderLayers[i].Units, WidthBelow(i)), activation);
        }
        return code;
    }

    /// <summary>The number of values that a layer of the encoder gets.</summary>
    private int WidthBelow(int layer) => layer == 0 ? InputCount : EncoderLayers[layer - 1].Units;

    internal override void Check()
    {
        base.Check();
        if (OutputCount != InputCount)
            throw new FormatException(FormattableString.Invariant($"outputCount is {OutputCount}; it must be inputCount, {InputCount}."));
        if (!Enum.IsDefined(Output))
            throw new FormatException($"output is {Output}, which is not a valid kind of output.");
        if (EncoderLayers == null || EncoderLayers.Count == 0)
            throw new FormatException("encoderLayers is empty; it must have at least the latent layer.");
        for (var i = 0; i < EncoderLayers.Count; i++)
            CheckLayer(EncoderLayers[i], FormattableString.Invariant($"encoderLayers[{i}]"));
    }

    private static void CheckLayer(AutoencoderLayer? layer, string name)
    {
        if (layer == null)
            throw new FormatException($"{name} is null.");
        if (layer.Units < 1)
            throw new FormatException(FormattableString.Invariant($"{name}.units is {layer.Units}; it must be at least 1."));
        if (!Enum.IsDefined(layer.Activation) || layer.Activation == Activation.PReLU)
            throw new FormatException($"{name}.activation is {layer.Activation}; it must be an activation without parameters.");
    }
}

/// <summary>A layer of an autoencoder's encoder: linear, then the activation.</summary>
/// <param name="Units">The number of units.</param>
/// <param name="Activation">The activation function; not <see cref="Activation.PReLU"/>.</param>
public sealed record AutoencoderLayer(int Units, Activation Activation)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(AutoencoderLayer), PrintMembers);
}

/// <summary>The kind of features of an autoencoder, which determines its output and its loss.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AutoencoderOutput>))]
public enum AutoencoderOutput
{
    /// <summary>
    /// Values in [0, 1], such as the intensity of pixels: the output is a sigmoid, and training minimizes the cross entropy.
    /// </summary>
    [JsonStringEnumMemberName("Probability")]
    Bernoulli,

    /// <summary>
    /// Real numbers, preferably with mean 0 and variance 1: the output is linear, and training minimizes the squared error.
    /// </summary>
    [JsonStringEnumMemberName("Real")]
    Gaussian,
}

/// <summary>
/// The module of <see cref="AutoencoderArchitecture"/>: maps <c>[rows, features]</c> to reconstructed features; to their logits if they are
/// probabilities.
/// </summary>
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
            encoder.Add(Layers.Linear(widths[i - 1], widths[i]));
            decoder.Add(Layers.Linear(widths[^i], widths[^(i + 1)]));
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor features) => Decode(Encode(features));

    /// <summary>Encodes <c>[rows, features]</c> as <c>[rows, latent size]</c>.</summary>
    public Tensor Encode(Tensor features)
    {
        var layers = _architecture.EncoderLayers;
        for (var i = 0; i < layers.Count; i++)
            features = layers[i].Activation.Apply(encoder[i].call(features));
        return features;
    }

    /// <summary>
    /// Decodes the latent representation, which is not changed, to the input of <see cref="Means"/>, <c>[rows, features]</c>.
    /// </summary>
    public Tensor Decode(Tensor code)
    {
        var layers = _architecture.EncoderLayers;
        for (var i = 0; i < layers.Count - 1; i++)
            code = layers[^(i + 2)].Activation.Apply(decoder[i].call(code));
        return decoder[layers.Count - 1].call(code);
    }

    /// <summary>Turns the outputs of the decoder into features, in place: logits become probabilities.</summary>
    public Tensor Means(Tensor outputs) => _architecture.Output == AutoencoderOutput.Bernoulli ? outputs.sigmoid_() : outputs;

    /// <summary>Returns the reconstructed features, <c>[rows, features]</c>.</summary>
    public Tensor Reconstruct(Tensor code) => Means(Decode(code));
}
