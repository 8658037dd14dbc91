namespace MLExtensions;

/// <summary>
/// Shears and scales images about their centre, then shifts them; every amount is drawn uniformly. Bilinear, with zeros where there
/// was no image.
/// </summary>
/// <remarks>Next to <see cref="RandomRotation"/> and <see cref="ElasticDistortion"/> in the list, the pixels are interpolated only
/// once.</remarks>
public sealed record RandomAffine : ImageAugmentation
{
    /// <summary>The smallest scale, the same for height and width, in [0.01, 100]; below 1 shrinks. Default 0.9.</summary>
    public double MinimumScale { get; init; } = 0.9;

    /// <summary>The greatest scale, in [<see cref="MinimumScale"/>, 100]; above 1 enlarges. Default 1.1.</summary>
    public double MaximumScale { get; init; } = 1.1;

    /// <summary>The greatest shift, to either side, as a fraction of the height and the width, in [0, 1]. Default 0.1.</summary>
    public double MaximumShift { get; init; } = 0.1;

    /// <summary>The greatest angle, to either side, that vertical lines are slanted by, in degrees, in [0, 80]. Default 0.</summary>
    public double MaximumShear { get; init; }

    private protected override void CheckSettings()
    {
        CheckBetween(MinimumScale, 0.01, 100);
        CheckBetween(MaximumScale, MinimumScale, 100);
        CheckBetween(MaximumShift, 0, 1);
        CheckBetween(MaximumShear, 0, 80);
    }
}
