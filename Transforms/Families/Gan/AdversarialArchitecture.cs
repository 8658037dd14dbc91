using System.Text.Json;
using System.Text.Json.Serialization;
using MLExtensions.Families.Gan;
using MLExtensions.Networks;
using MLExtensions.Tensors;

namespace MLExtensions;

/// <summary>One of the two networks of a generative adversarial network: layers of its input, layers of the label, and layers that get both.</summary>
public abstract record AdversarialArchitecture : NetworkArchitecture
{
    // Smaller passes start too often, larger ones leave the caches.
    private const int BestScoringRows = 256;

    private protected AdversarialArchitecture()
    {
    }

    /// <summary>The number of classes; 0 if the network is not conditional.</summary>
    public required int ClassCount { get; init; }

    /// <summary>The layers of the label before it joins the input; may be empty.</summary>
    public required IReadOnlyList<ImageLayer> LabelLayers { get; init; }

    /// <summary>The layers from input and label to the output.</summary>
    public required IReadOnlyList<ImageLayer> Layers { get; init; }

    /// <summary>The size of the images; null if samples are not images.</summary>
    public required ImageShape? Image { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => Joined.ParameterCount;

    internal override double MultiplyAdds => Joined.MultiplyAdds;

    internal override double ValuesPerRow => base.ValuesPerRow + Joined.ValuesPerRow;

    internal override int ScoringRows => BestScoringRows;

    internal override int MinimumBatchRows => Joined.HasBatchNormalization ? 2 : 1;

    /// <summary>The outputs cannot be exchanged, and are the same in every training: there is no layer with this name.</summary>
    internal override string OutputLayer => "output";

    /// <summary>The layers.</summary>
    internal abstract JoinedLayers Joined { get; }

    /// <inheritdoc/>
    public virtual bool Equals(AdversarialArchitecture? other) => base.Equals(other) && JsonSerializer.Serialize<object>(this) == JsonSerializer.Serialize<object>(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), ClassCount, Layers.Count);

    internal override IEnumerable<LayerDescription> Describe() => Joined.Describe();
}
