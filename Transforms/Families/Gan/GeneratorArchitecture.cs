using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Families.Gan;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// The generator of a generative adversarial network: it turns noise, and a label if it is conditional, into a sample. Goodfellow et al.,
/// "Generative Adversarial Nets", 2014; Mirza and Osindero, "Conditional Generative Adversarial Nets", 2014.
/// </summary>
/// <remarks>
/// Its input is the noise, followed by a 1 at the place of the class and zeros at the others if it is conditional. Its weights are
/// <c>latent.0...</c>, <c>label.0...</c> and <c>layers.0...</c>, as <see cref="LatentLayers"/>,
/// <see cref="AdversarialArchitecture.LabelLayers"/> and <see cref="AdversarialArchitecture.Layers"/>.
/// </remarks>
public sealed record GeneratorArchitecture : AdversarialArchitecture
{
    internal const string FamilyName = "generator";

    /// <summary>The number of values of the noise.</summary>
    public required int LatentSize { get; init; }

    /// <summary>The distribution of the noise.</summary>
    public required LatentDistribution LatentDistribution { get; init; }

    /// <summary>The layers of the noise before the label joins it; may be empty.</summary>
    public required IReadOnlyList<ImageLayer> LatentLayers { get; init; }

    /// <summary>
    /// The range of the data; null if samples are any real numbers. The range of the last layer, tanh or sigmoid, stands for it.
    /// </summary>
    public required ValueRange? Values { get; init; }

    /// <summary>What the last layer returns: the range of tanh or of sigmoid, or null for real numbers.</summary>
    internal ValueRange? OutputRange => LastOf(Layers) is ActivationLayer last ? RangeOf(last.Activation) : null;

    /// <summary>The layer that computes what a list of layers returns; a change of the shape changes no values.</summary>
    internal static ImageLayer? LastOf(IReadOnlyList<ImageLayer>? layers)
    {
        var last = layers?.LastOrDefault(layer => layer is not ReshapeLayer); // lists that are null are refused later
        return last is SequenceLayer sequence ? LastOf(sequence.Layers) : last;
    }

    internal override JoinedLayers Joined => new(LayerShape.OfVector(LatentSize), ClassCount, OutputCount)
    {
        InputName = "latent",
        Input = LatentLayers,
        Label = LabelLayers,
        Joined = Layers,
    };

    /// <inheritdoc/>
    public bool Equals(GeneratorArchitecture? other) => base.Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), LatentSize);

    /// <summary>The range of an activation function that has a lower and an upper limit.</summary>
    internal static ValueRange? RangeOf(Activation activation) => activation switch
    {
        Activation.Tanh or Activation.Softsign => new ValueRange(-1, 1),
        Activation.Sigmoid => new ValueRange(0, 1),
        _ => null,
    };

    internal override nn.Module<Tensor, Tensor> CreateModule() => new GeneratorNetwork(this, Joined);

    internal override string Write(GraphWriter graph, string rows)
    {
        var samples = ClassCount == 0
            ? Joined.Write(graph, rows, null)
            : Joined.Write(graph, graph.Slice(rows, 1, 0, LatentSize), graph.Slice(rows, 1, LatentSize, InputCount));
        return graph.Reshape(samples, -1, OutputCount);
    }

    internal override void Check()
    {
        base.Check();
        if (LatentSize < 1)
            throw new FormatException(FormattableString.Invariant($"latentSize is {LatentSize}; it must be at least 1."));
        if (!Enum.IsDefined(LatentDistribution))
            throw new FormatException(FormattableString.Invariant($"latentDistribution is {LatentDistribution}, which is not a valid distribution."));
        if (ClassCount < 0 || (long)LatentSize + ClassCount != InputCount)
            throw new FormatException(FormattableString.Invariant($"latentSize is {LatentSize} and classCount {ClassCount}; their sum must be inputCount, {InputCount}."));
        if (LatentLayers == null || LabelLayers == null || Layers == null)
            throw new FormatException("a list of layers is missing.");
        Image?.Check("image");
        Values?.Check("values");
        if (Values != null && OutputRange == null)
            throw new FormatException("values has a range, but the last layer has none; it must be tanh or sigmoid.");
        var output = Joined.Check();
        if (output.Count != OutputCount)
            throw new FormatException(FormattableString.Invariant($"the layers of the generator return {output}, {output.Count} values; a sample has {OutputCount}{(Image == null ? "" : $" ({Image})")}."));
        if (Image != null && !output.IsVector && (output.Channels, output.Height, output.Width) != (Image.Channels, Image.Height, Image.Width))
            throw new FormatException(FormattableString.Invariant($"the layers of the generator return images of {output}; those of the data are {Image}."));
    }
}

/// <summary>The distribution of a generator's noise.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LatentDistribution>))]
public enum LatentDistribution
{
    /// <summary>Independent standard normal numbers.</summary>
    Normal,

    /// <summary>Independent numbers, evenly distributed between -1 and 1.</summary>
    Uniform,
}

/// <summary>The module of <see cref="GeneratorArchitecture"/>: maps <c>[rows, latent size + classes]</c> to <c>[rows, values]</c>.</summary>
internal sealed class GeneratorNetwork : nn.Module<Tensor, Tensor>
{
    private readonly JoinedBranches _branches;
    private readonly int _latentSize;
    private readonly int _classCount;

    public GeneratorNetwork(GeneratorArchitecture architecture, JoinedLayers layers)
        : base(nameof(GeneratorNetwork))
    {
        (_latentSize, _classCount) = (architecture.LatentSize, architecture.ClassCount);
        _branches = new JoinedBranches(this, layers);
    }

    public override Tensor forward(Tensor x)
    {
        var (latent, label) = _classCount == 0 ? (x, null) : (x.narrow(1, 0, _latentSize), x.narrow(1, _latentSize, _classCount));
        var samples = _branches.Joined.call(_branches.Join(latent, label));
        return samples.dim() > 2 ? samples.contiguous().flatten(1) : samples;
    }
}
