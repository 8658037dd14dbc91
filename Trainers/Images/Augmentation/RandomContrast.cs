namespace MLExtensions;

/// <summary>
/// Multiplies the difference of each pixel from the mean of its image and channel by a factor, drawn uniformly from
/// [<see cref="Minimum"/>, <see cref="Maximum"/>]; the means stay.
/// </summary>
/// <remarks>The same as <c>tf.image.random_contrast</c>. Pixels may leave 0 to 255: nothing is clamped.</remarks>
public sealed record RandomContrast : ImageAugmentation
{
    /// <summary>The smallest factor, in [0, 1000]. Default 0.2.</summary>
    public double Minimum { get; init; } = 0.2;

    /// <summary>The greatest factor, in [<see cref="Minimum"/>, 1000]. Default 1.8.</summary>
    public double Maximum { get; init; } = 1.8;

    private protected override void CheckSettings()
    {
        CheckBetween(Minimum, 0, 1000);
        CheckBetween(Maximum, Minimum, 1000);
    }
}
