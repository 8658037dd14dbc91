using MLExtensions.Families.Images;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// Moves every pixel along a smooth random field, as if the image were drawn on rubber. Bilinear interpolation, with
/// zeros outside the image.
/// </summary>
/// <remarks>
/// Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual document analysis" (2003): noise that
/// is uniform in [-1, 1], one number per pixel and direction, is smoothed by a Gaussian whose weights sum to 1, and multiplied by
/// <see cref="Alpha"/>. The displacement of a pixel in each direction therefore has a root mean square of about 0.163 <see cref="Alpha"/> /
/// <see cref="Sigma"/> pixels: 1.4 for the values of the paper, which are the defaults. Unlike in the paper, the field is as strong at the
/// border of the image as inside.
/// </remarks>
public sealed record ElasticDistortion : ImageAugmentation
{
    /// <summary>Amplitude of the noise before smoothing, in pixels, in [0, 10000]. Default 34.</summary>
    public double Alpha { get; init; } = 34;

    /// <summary>Standard deviation of the Gaussian in pixels, in [0.1, 1000]. Larger values are stiffer. Default 4.</summary>
    public double Sigma { get; init; } = 4;

    internal override IImageOperation CreateOperation() => new ImageWarp(new ElasticStep(this));

    private protected override void CheckSettings()
    {
        CheckBetween(Alpha, 0, 10000);
        CheckBetween(Sigma, 0.1, 1000);
    }
}

/// <summary>Moves pixels along smoothed noise.</summary>
internal sealed class ElasticStep(ElasticDistortion settings) : IWarpStep
{
    private readonly Dictionary<int, float[]> _filters = [];

    public void Apply(SamplingGrid grid, ref SplitMix64 random)
    {
        var field = Noise(grid, ref random).to(grid.Device);
        // A matrix product takes as long as a convolution that is as wide as the Gaussian, and can treat the border correctly.
        var alongRows = Filter(grid.Width, grid.Device);
        var alongColumns = Filter(grid.Height, grid.Device);
        grid.Displace(matmul(alongColumns, matmul(field, alongRows.t())));
    }

    /// <summary>Noise of <see cref="ElasticDistortion.Alpha"/> pixels in normalized coordinates, [N, 2, H, W].</summary>
    private Tensor Noise(SamplingGrid grid, ref SplitMix64 random)
    {
        var noise = zeros([grid.Count, 2, grid.Height, grid.Width], ScalarType.Float32, CPU);
        var values = TensorMemory.Floats(noise);
        var plane = grid.Height * grid.Width;
        for (var i = 0; i < grid.Count; i++)
        {
            if (!random.Chance(settings.Probability))
                continue;
            random.Noise(values.Slice(2 * i * plane, plane), (float)(settings.Alpha * 2 / grid.Width));
            random.Noise(values.Slice((2 * i + 1) * plane, plane), (float)(settings.Alpha * 2 / grid.Height));
        }
        return noise;
    }

    private Tensor Filter(int length, Device device)
    {
        if (!_filters.TryGetValue(length, out var filter))
            _filters[length] = filter = GaussianFilter.Matrix(length, settings.Sigma);
        return PerImage.ToTensor(filter, [length, length], device);
    }
}

/// <summary>The smoothing of noise along one axis, as a matrix.</summary>
internal static class GaussianFilter
{
    /// <summary>
    /// One row per smoothed value. A Gaussian whose weights sum to 1 reduces the noise by the square root of the sum of its squared
    /// weights. Where the border cuts it off, the rest is scaled so that the noise is reduced by the same factor.
    /// </summary>
    public static float[] Matrix(int length, double sigma)
    {
        var matrix = new float[length * length];
        var root = RootOfSquares(sigma);
        for (var row = 0; row < length; row++)
        {
            var squares = 0.0;
            for (var column = 0; column < length; column++)
            {
                var weight = Weight(column - row, sigma);
                squares += weight * weight;
            }
            for (var column = 0; column < length; column++)
                matrix[row * length + column] = (float)(Weight(column - row, sigma) * root / Math.Sqrt(squares));
        }
        return matrix;
    }

    private static double RootOfSquares(double sigma)
    {
        var reach = Math.Ceiling(6 * sigma);
        var sum = 0.0;
        var squares = 0.0;
        for (var distance = -reach; distance <= reach; distance++)
        {
            var weight = Weight(distance, sigma);
            sum += weight;
            squares += weight * weight;
        }
        return Math.Sqrt(squares) / sum;
    }

    private static double Weight(double distance, double sigma) => Math.Exp(-distance * distance / (2 * sigma * sigma));
}
