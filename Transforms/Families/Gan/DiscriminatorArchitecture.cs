using System.Text.Json.Serialization;
using MLExtensions.Families.Gan;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// The discriminator of a generative adversarial network: it tells real samples from generated ones. Goodfellow et al., "Generative
/// Adversarial Nets", 2014.
/// </summary>
/// <remarks>
/// Its input are <see cref="PackSize"/> samples one after the other, followed by as many label vectors if it is conditional. Its output is a
/// logit: greater than 0 for real. Its weights are <c>sample.0...</c>, <c>label.0...</c>, <c>layers.0...</c> and
/// <c>projection.weight [classes, units]</c>.
/// </remarks>
public sealed record DiscriminatorArchitecture : AdversarialArchitecture
{
    internal const string FamilyName = "discriminator";

    /// <summary>
    /// The number of samples that are judged together: if they are less varied than real ones, they are found out. Lin et al., "PacGAN",
    /// 2018.
    /// </summary>
    public required int PackSize { get; init; }

    /// <summary>The layers of the sample before the label joins it; may be empty.</summary>
    public required IReadOnlyList<ImageLayer> SampleLayers { get; init; }

    /// <summary>
    /// Whether the label takes part by the inner product of a vector per class with the input of the last layer, instead of joining the
    /// sample. Miyato and Koyama, "cGANs with Projection Discriminator", 2018.
    /// </summary>
    public required bool ProjectsLabel { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => checked(base.ParameterCount + ((long)ProjectedClasses * ProjectedUnits));

    /// <summary>The number of values of a sample.</summary>
    [JsonIgnore]
    public int SampleSize => (InputCount / PackSize) - ClassCount;

    internal override double MultiplyAdds => base.MultiplyAdds + ((double)ProjectedClasses * ProjectedUnits);

    /// <summary>Whether generated samples change how real ones are judged, so that they must be judged apart.</summary>
    internal bool HasBatchNormalization => Joined.HasBatchNormalization;

    /// <summary>The layers that get sample and label, with their positions.</summary>
    internal IReadOnlyList<PlacedLayer> Placed => Joined.PlacedJoined;

    /// <summary>The layers whose outputs <see cref="DiscriminatorNetwork.Outputs"/> returns: <see cref="Placed"/>, and those of the sample alone.</summary>
    internal IReadOnlyList<PlacedLayer> PlacedOutputs => [.. Placed, .. Joined.PlacedInput];

    private int ProjectedClasses => ProjectsLabel ? ClassCount : 0;

    /// <summary>The number of values that the last layer gets.</summary>
    private long ProjectedUnits => ProjectsLabel ? Placed[^1].Input.Count : 0;

    internal override JoinedLayers Joined => new(SampleShape, ProjectsLabel ? 0 : ClassCount * PackSize, OutputCount)
    {
        InputName = "sample",
        Input = SampleLayers,
        Label = LabelLayers,
        Joined = Layers,
    };

    private LayerShape SampleShape => Image == null
        ? LayerShape.OfVector(checked(SampleSize * PackSize))
        : LayerShape.OfImage(checked(Image.Channels * PackSize), Image.Height, Image.Width);

    /// <inheritdoc/>
    public bool Equals(DiscriminatorArchitecture? other) => base.Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), PackSize);

    internal override IEnumerable<LayerDescription> Describe()
    {
        foreach (var layer in base.Describe())
            yield return layer;
        if (ProjectedClasses > 0)
            yield return new LayerDescription("projection", "label by projection", "1", ProjectedClasses * ProjectedUnits, ProjectedClasses * ProjectedUnits);
    }

    internal override bool HasGraph => false;

    internal override nn.Module<Tensor, Tensor> CreateModule() => new DiscriminatorNetwork(this, Joined);

    internal override void Check()
    {
        base.Check();
        if (PackSize < 1)
            throw new FormatException(FormattableString.Invariant($"packSize is {PackSize}; it must be at least 1."));
        if (ClassCount < 0 || InputCount % PackSize != 0 || SampleSize < 1)
            throw new FormatException(FormattableString.Invariant($"inputCount is {InputCount}; it must be packSize, {PackSize}, times the values of a sample and classCount, {ClassCount}."));
        if (OutputCount != 1)
            throw new FormatException(FormattableString.Invariant($"outputCount is {OutputCount}; it must be 1."));
        if (SampleLayers == null || LabelLayers == null || Layers == null)
            throw new FormatException("a list of layers is missing.");
        if (ProjectsLabel && (ClassCount == 0 || PackSize > 1 || LabelLayers.Count > 0))
            throw new FormatException(FormattableString.Invariant($"projectsLabel is set; there must be classes, packSize must be 1, and labelLayers must be empty. classCount is {ClassCount}, packSize {PackSize}."));
        Image?.Check("image");
        if (Image != null && Image.Count != SampleSize)
            throw new FormatException(FormattableString.Invariant($"the images are {Image}, but a sample has {SampleSize} values."));
        var output = Joined.Check();
        if (output.Count != 1)
            throw new FormatException(FormattableString.Invariant($"the layers of the discriminator return {output}; the last one must return a single value: end with a DenseLayer without a number of units."));
    }
}

/// <summary>The module of <see cref="DiscriminatorArchitecture"/>: maps <c>[rows, inputs]</c> to logits <c>[rows, 1]</c>.</summary>
internal sealed class DiscriminatorNetwork : nn.Module<Tensor, Tensor>
{
    private readonly JoinedBranches _branches;
    private readonly EmbeddingTable? _projection;
    private readonly int _sampleValues;
    private readonly int _labelValues;
    private readonly ImageShape? _image;

    public DiscriminatorNetwork(DiscriminatorArchitecture architecture, JoinedLayers layers)
        : base(nameof(DiscriminatorNetwork))
    {
        _sampleValues = architecture.SampleSize * architecture.PackSize;
        _labelValues = architecture.ClassCount * architecture.PackSize;
        _image = architecture.Image;
        _branches = new JoinedBranches(this, layers);
        if (!architecture.ProjectsLabel)
            return;
        _projection = new EmbeddingTable(architecture.ClassCount, layers.PlacedJoined[^1].Input.Count);
        register_module("projection", _projection);
    }

    public override Tensor forward(Tensor x)
    {
        var (features, label) = Hidden(x, _branches.Joined.Count - 1);
        var logits = _branches.Joined.Step(features, _branches.Joined.Count - 1);
        if (logits.dim() > 2)
            logits = logits.flatten(1);
        return _projection == null ? logits : logits.add((features.flatten(1) * label!.matmul(_projection.Weight)).sum(1, keepdim: true), Number.One);
    }

    /// <summary>The outputs of all joined layers, the last one without what a projected label adds, and then those of the layers of the sample.</summary>
    public IReadOnlyList<Tensor> Outputs(Tensor x)
    {
        var (sample, label) = Split(x);
        var ofSample = _branches.Input?.Outputs(sample) ?? [];
        var joined = _branches.JoinLabel(ofSample is [.., var last] ? last.clone() : sample, _projection == null ? label : null);
        return [.. _branches.Joined.Outputs(joined), .. ofSample];
    }

    /// <summary>The outputs of the first of the joined layers, and the label vectors or null.</summary>
    public (Tensor Values, Tensor? Label) Hidden(Tensor x, int layers)
    {
        var (sample, label) = Split(x);
        return (_branches.Joined.RunTo(_branches.Join(sample, _projection == null ? label : null), layers), label);
    }

    /// <summary>The samples in their shape, and the label vectors or null.</summary>
    private (Tensor Sample, Tensor? Label) Split(Tensor x)
    {
        var (sample, label) = _labelValues == 0 ? (x, null) : (x.narrow(1, 0, _sampleValues), x.narrow(1, _sampleValues, _labelValues));
        return (_image == null ? sample : sample.reshape(-1, _sampleValues / _image.Height / _image.Width, _image.Height, _image.Width), label);
    }
}
