namespace MLExtensions;

/// <summary>
/// Turns images about their centre by an angle drawn uniformly from [-<see cref="MaximumDegrees"/>, <see cref="MaximumDegrees"/>];
/// bilinear, with zeros where there was no image.
/// </summary>
/// <remarks>Next to <see cref="RandomAffine"/> and <see cref="ElasticDistortion"/> in the list, the pixels are interpolated only
/// once.</remarks>
public sealed record RandomRotation : ImageAugmentation
{
    /// <summary>The greatest angle, to either side, in degrees, in [0, 180]. Default 15.</summary>
    public double MaximumDegrees { get; init; } = 15;

    private protected override void CheckSettings() => CheckBetween(MaximumDegrees, 0, 180);
}
