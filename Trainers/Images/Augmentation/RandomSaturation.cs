namespace MLExtensions;

/// <summary>
/// Multiplies the difference of each pixel's red, green and blue from its luminance by a factor, drawn uniformly from
/// [<see cref="Minimum"/>, <see cref="Maximum"/>]; 0 makes an image grey. The luminance stays.
/// </summary>
/// <remarks>The luminance is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). Needs 3 channels, in this order. Pixels may leave
/// 0 to 255: nothing is clamped.</remarks>
public sealed record RandomSaturation : ImageAugmentation
{
    /// <summary>The smallest factor, in [0, 1000]. Default 0.5.</summary>
    public double Minimum { get; init; } = 0.5;

    /// <summary>The greatest factor, in [<see cref="Minimum"/>, 1000]. Default 1.5.</summary>
    public double Maximum { get; init; } = 1.5;

    internal override void CheckImages(int channels, int height, int width)
    {
        if (channels != 3)
        {
            throw new ArgumentException(
                $"{nameof(RandomSaturation)} needs images with 3 channels (red, green, blue); these have {channels}.",
                nameof(RandomSaturation));
        }
    }

    private protected override void CheckSettings()
    {
        CheckBetween(Minimum, 0, 1000);
        CheckBetween(Maximum, Minimum, 1000);
    }
}
