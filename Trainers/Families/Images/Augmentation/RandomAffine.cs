using System.Numerics;
using MLExtensions.Families.Images;

namespace MLExtensions;

/// <summary>
/// Shears and scales images about their center, then shifts them; every amount is drawn uniformly. Bilinear interpolation, with zeros
/// outside the image.
/// </summary>
/// <remarks>
/// Pixels are interpolated only once if <see cref="RandomRotation"/> and <see cref="ElasticDistortion"/> are adjacent to it in the list.
/// </remarks>
public sealed record RandomAffine : ImageAugmentation
{
    /// <summary>The smallest scale, the same for height and width, in [0.01, 100]; below 1 shrinks. Default 0.9.</summary>
    public double MinimumScale { get; init; } = 0.9;

    /// <summary>The largest scale, in [<see cref="MinimumScale"/>, 100]; above 1 enlarges. Default 1.1.</summary>
    public double MaximumScale { get; init; } = 1.1;

    /// <summary>The largest shift in each direction, as a fraction of height and width, in [0, 1]. Default 0.1.</summary>
    public double MaximumShift { get; init; } = 0.1;

    /// <summary>The largest angle by which vertical lines are slanted in each direction, in degrees, in [0, 80]. Default 0.</summary>
    public double MaximumShear { get; init; }

    internal override IImageOperation CreateOperation() => new ImageWarp(CreateStep());

    internal AffineStep CreateStep() => new()
    {
        Probability = Probability,
        MinimumScale = MinimumScale,
        MaximumScale = MaximumScale,
        MaximumShift = MaximumShift,
        MaximumShear = MaximumShear,
    };

    private protected override void CheckSettings()
    {
        CheckBetween(MinimumScale, 0.01, 100);
        CheckBetween(MaximumScale, MinimumScale, 100);
        CheckBetween(MaximumShift, 0, 1);
        CheckBetween(MaximumShear, 0, 80);
    }
}

/// <summary>
/// Rotates images about their center by an angle drawn uniformly from [-<see cref="MaximumDegrees"/>, <see cref="MaximumDegrees"/>].
/// Bilinear interpolation, with zeros outside the image.
/// </summary>
/// <remarks>
/// Pixels are interpolated only once if <see cref="RandomAffine"/> and <see cref="ElasticDistortion"/> are adjacent to it in the list.
/// </remarks>
public sealed record RandomRotation : ImageAugmentation
{
    /// <summary>The largest angle in each direction, in degrees, in [0, 180]. Default 15.</summary>
    public double MaximumDegrees { get; init; } = 15;

    internal override IImageOperation CreateOperation() => new ImageWarp(new AffineStep
    {
        Probability = Probability,
        MinimumDegrees = -MaximumDegrees,
        MaximumDegrees = MaximumDegrees,
    });

    private protected override void CheckSettings() => CheckBetween(MaximumDegrees, 0, 180);
}

/// <summary>Shears, scales and rotates each image about its center, then shifts it.</summary>
internal sealed record AffineStep : IWarpStep
{
    public double Probability { get; init; } = 1;

    /// <summary>Clockwise, in degrees.</summary>
    public double MinimumDegrees { get; init; }

    public double MaximumDegrees { get; init; }

    public double MinimumScale { get; init; } = 1;

    public double MaximumScale { get; init; } = 1;

    public double MaximumShift { get; init; }

    public double MaximumShear { get; init; }

    public void Apply(SamplingGrid grid, ref SplitMix64 random)
    {
        var matrices = new Matrix3x2[grid.Count];
        for (var i = 0; i < matrices.Length; i++)
        {
            if (random.Chance(Probability))
                matrices[i] = Draw(grid, ref random);
            else
                matrices[i] = Matrix3x2.Identity;
        }
        grid.Transform(matrices);
    }

    /// <summary>Maps the position of a pixel in the changed image to its original position.</summary>
    private Matrix3x2 Draw(SamplingGrid grid, ref SplitMix64 random)
    {
        var shear = Matrix3x2.CreateSkew(Radians(random.Symmetric(MaximumShear)), 0);
        var scale = Matrix3x2.CreateScale((float)random.Uniform(MinimumScale, MaximumScale));
        var rotation = Matrix3x2.CreateRotation(Radians(random.Uniform(MinimumDegrees, MaximumDegrees)));
        var shift = Matrix3x2.CreateTranslation(
            (float)(random.Symmetric(MaximumShift) * grid.Width),
            (float)(random.Symmetric(MaximumShift) * grid.Height));
        Matrix3x2.Invert(shear * scale * rotation * shift, out var back);
        return back;
    }

    private static float Radians(double degrees) => (float)double.DegreesToRadians(degrees);
}
