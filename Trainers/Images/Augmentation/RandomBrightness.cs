using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Adds a number to all pixels of an image, drawn uniformly from [-<see cref="MaximumDelta"/>, <see cref="MaximumDelta"/>].
/// </summary>
/// <remarks>Pixels may leave 0 to 255: nothing is clamped.</remarks>
public sealed record RandomBrightness : ImageAugmentation
{
    /// <summary>The greatest change, in the unit of the pixels, which are 0 to 255; at least 0. Default 63.</summary>
    public double MaximumDelta { get; init; } = 63;

    private protected override void CheckSettings() => OptionCheck.NotNegative(MaximumDelta, NameOf(nameof(MaximumDelta)));
}
