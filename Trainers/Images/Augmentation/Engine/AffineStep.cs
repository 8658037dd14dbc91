using System.Numerics;
using MLExtensions.Training;

namespace MLExtensions.Images;

/// <summary>Shears, scales and turns each image about its centre, then shifts it.</summary>
internal sealed record AffineStep : IWarpStep
{
    public double Probability { get; init; } = 1;

    /// <summary>Clockwise, as seen.</summary>
    public double MinimumDegrees { get; init; }

    public double MaximumDegrees { get; init; }

    public double MinimumScale { get; init; } = 1;

    public double MaximumScale { get; init; } = 1;

    public double MaximumShift { get; init; }

    public double MaximumShear { get; init; }

    public static AffineStep Of(RandomRotation settings) => new()
    {
        Probability = settings.Probability,
        MinimumDegrees = -settings.MaximumDegrees,
        MaximumDegrees = settings.MaximumDegrees,
    };

    public static AffineStep Of(RandomAffine settings) => new()
    {
        Probability = settings.Probability,
        MinimumScale = settings.MinimumScale,
        MaximumScale = settings.MaximumScale,
        MaximumShift = settings.MaximumShift,
        MaximumShear = settings.MaximumShear,
    };

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

    /// <summary>From where a pixel is in the changed image to where it was.</summary>
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
