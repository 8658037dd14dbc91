using System.Text.Json;

namespace MLExtensions;

/// <summary>A convolutional network given as a list of layers. LeCun et al., 1998.</summary>
public sealed record CnnArchitecture : ImageArchitecture
{
    internal const string FamilyName = "cnn";

    /// <summary>The layers, from the image to the outputs.</summary>
    public required IReadOnlyList<NetworkLayer> Layers { get; init; }

    /// <inheritdoc/>
    public bool Equals(CnnArchitecture? other) =>
        base.Equals(other) && JsonSerializer.Serialize(Layers) == JsonSerializer.Serialize(other.Layers);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Layers.Count);

    internal override IReadOnlyList<NetworkLayer> CreateLayers() => Layers;
}
