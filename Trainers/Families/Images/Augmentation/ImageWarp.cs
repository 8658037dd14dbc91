using System.Numerics;
using MLExtensions.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace MLExtensions.Families.Images;

/// <summary>Successive geometric changes. The images are interpolated only once.</summary>
internal sealed class ImageWarp : IImageOperation
{
    private readonly List<IWarpStep> _steps;

    public ImageWarp(params IWarpStep[] steps) => _steps = [.. steps];

    public bool TryAppend(IImageOperation next)
    {
        if (next is not ImageWarp other)
            return false;
        _steps.AddRange(other._steps);
        return true;
    }

    public AugmentedBatch Apply(AugmentedBatch batch, ref SplitMix64 random)
    {
        var images = batch.Images;
        var grid = new SamplingGrid((int)images.shape[0], (int)images.shape[2], (int)images.shape[3], images.device);
        foreach (var step in Enumerable.Reverse(_steps))
            step.Apply(grid, ref random);
        var warped = grid_sample(images, grid.Points(), GridSampleMode.Bilinear, GridSamplePaddingMode.Zeros, align_corners: false);
        return batch with { Images = warped };
    }
}

/// <summary>A geometric change.</summary>
internal interface IWarpStep
{
    void Apply(SamplingGrid grid, ref SplitMix64 random);
}

/// <summary>
/// The source of each pixel of the changed images, in torch's normalized coordinates (-1 and 1 are the outer edges of the image). Changes
/// are added from the last to the first.
/// </summary>
internal sealed class SamplingGrid(int count, int height, int width, Device device)
{
    private Matrix3x2[]? _matrices;
    private Tensor? _points;

    public int Count => count;

    public int Height => height;

    public int Width => width;

    public Device Device => device;

    /// <summary>Moves the points of each image by its matrix, in pixels from the image's center.</summary>
    public void Transform(Matrix3x2[] matrices) =>
        _matrices = _matrices is null ? matrices : [.. _matrices.Zip(matrices, (first, second) => first * second)];

    /// <summary>Moves each point by the value of the field at the point.</summary>
    /// <param name="field">[N, 2, H, W]: along x and y, in normalized coordinates.</param>
    public void Displace(Tensor field)
    {
        if (_matrices is null && _points is null)
        {
            _points = affine_grid(Theta([Matrix3x2.Identity]), [1, 1, height, width], align_corners: false).add(field.permute(0, 2, 3, 1), Number.One);
            return;
        }
        var points = Points();
        var moved = grid_sample(field, points, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
        _points = points.add(moved.permute(0, 2, 3, 1), Number.One);
    }

    /// <summary>[N, H, W, 2].</summary>
    public Tensor Points()
    {
        if (_points is null)
            _points = affine_grid(Theta(_matrices ?? [.. Enumerable.Repeat(Matrix3x2.Identity, count)]), [count, 1, height, width], align_corners: false);
        else if (_matrices is not null)
            _points = Moved(_points, Theta(_matrices));
        _matrices = null;
        return _points;
    }

    private Tensor Moved(Tensor points, Tensor theta)
    {
        var linear = theta.narrow(2, 0, 2).transpose(1, 2);
        var shift = theta.narrow(2, 2, 1).transpose(1, 2);
        return (points.reshape(count, height * width, 2).bmm(linear).add_(shift, Number.One)).view(count, height, width, 2);
    }

    /// <summary>The matrices in normalized coordinates, [N, 2, 3].</summary>
    private Tensor Theta(Matrix3x2[] matrices)
    {
        var theta = new float[matrices.Length * 6];
        var aspect = (float)width / height;
        for (var i = 0; i < matrices.Length; i++)
        {
            var m = matrices[i];
            ReadOnlySpan<float> values =
            [
                m.M11, m.M21 / aspect, m.M31 * 2 / width,
                m.M12 * aspect, m.M22, m.M32 * 2 / height,
            ];
            values.CopyTo(theta.AsSpan(i * 6));
        }
        return PerImage.ToTensor(theta, [matrices.Length, 2, 3], device);
    }
}
