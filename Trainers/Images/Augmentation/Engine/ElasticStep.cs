using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Images;

/// <summary>Moves pixels along smoothed noise.</summary>
internal sealed class ElasticStep(ElasticDistortion settings) : IWarpStep
{
    private readonly Dictionary<int, float[]> _filters = [];

    public void Apply(SamplingGrid grid, ref SplitMix64 random)
    {
        var field = Noise(grid, ref random).to(grid.Device);
        // A product with a matrix takes as long as a convolution as wide as the Gaussian, and knows how to treat the border.
        var alongRows = Filter(grid.Width, grid.Device);
        var alongColumns = Filter(grid.Height, grid.Device);
        grid.Displace(matmul(alongColumns, matmul(field, alongRows.t())));
    }

    /// <summary>Noise of <see cref="ElasticDistortion.Alpha"/> pixels in normalised coordinates, [N, 2, H, W].</summary>
    private Tensor Noise(SamplingGrid grid, ref SplitMix64 random)
    {
        var noise = zeros([grid.Count, 2, grid.Height, grid.Width]);
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
        return PerImage.Send(filter, [length, length], device);
    }
}
