using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Images;

/// <summary>Successive crops and flips: each pixel is copied once, and none is interpolated.</summary>
internal sealed class PixelSelection : IImageOperation
{
    private readonly List<ISelectionStep> _steps;

    public PixelSelection(params ISelectionStep[] steps) => _steps = [.. steps];

    public bool TryAppend(IImageOperation next)
    {
        if (next is not PixelSelection other)
            return false;
        _steps.AddRange(other._steps);
        return true;
    }

    public AugmentedBatch Apply(AugmentedBatch batch, ref SplitMix64 random)
    {
        var images = batch.Images;
        var (count, height, width) = ((int)images.shape[0], (int)images.shape[2], (int)images.shape[3]);
        var rows = new AxisMap(count, height);
        var columns = new AxisMap(count, width);
        foreach (var step in _steps)
            step.Apply(count, rows, columns, ref random);
        return batch with { Images = Select(images, rows, columns) };
    }

    private static Tensor Select(Tensor images, AxisMap rows, AxisMap columns)
    {
        var (count, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3]);
        var rowStarts = Positions(rows, width, [count, rows.Length, 1], images.device);
        var columnOffsets = Positions(columns, 1, [count, 1, columns.Length], images.device);
        var positions = rowStarts.add(columnOffsets, Number.One).view(count, 1, -1).expand(count, channels, -1);
        var selected = images.reshape(count, channels, height * width).gather(2, positions).view(count, channels, rows.Length, columns.Length);
        BlankOutside(selected, rows, [count, 1, rows.Length, 1]);
        BlankOutside(selected, columns, [count, 1, 1, columns.Length]);
        return selected;
    }

    private static Tensor Positions(AxisMap map, long stride, long[] shape, Device device)
    {
        var sources = map.Sources;
        var positions = new long[sources.Length];
        for (var i = 0; i < positions.Length; i++)
            positions[i] = Math.Max(sources[i], 0) * stride;
        return PerImage.ToTensor(positions, shape, device);
    }

    private static void BlankOutside(Tensor selected, AxisMap map, long[] shape)
    {
        var sources = map.Sources;
        if (!sources.Contains(AxisMap.Outside))
            return;
        var inside = new float[sources.Length];
        for (var i = 0; i < inside.Length; i++)
            inside[i] = sources[i] == AxisMap.Outside ? 0 : 1;
        selected.mul_(PerImage.ToTensor(inside, shape, selected.device));
    }
}

/// <summary>A crop or a flip.</summary>
internal interface ISelectionStep
{
    void Apply(int count, AxisMap rows, AxisMap columns, ref SplitMix64 random);
}

/// <summary>The source of each image's pixels along one axis; <see cref="Outside"/> gives zeros.</summary>
internal sealed class AxisMap
{
    public const int Outside = -1;

    private readonly int _count;
    private int[] _sources;

    public AxisMap(int count, int length)
    {
        _count = count;
        Length = length;
        _sources = new int[count * length];
        for (var i = 0; i < _sources.Length; i++)
            _sources[i] = i % length;
    }

    /// <summary>The current number of pixels along the axis.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<int> Sources => _sources;

    public void Reverse(int image) => Of(image).Reverse();

    /// <summary>Keeps <paramref name="length"/> pixels of each image from its start position, which may lie outside the image.</summary>
    public void Crop(ReadOnlySpan<int> starts, int length)
    {
        var cropped = new int[_count * length];
        Array.Fill(cropped, Outside);
        for (var image = 0; image < _count; image++)
        {
            var first = Math.Max(starts[image], 0);
            var end = Math.Min(starts[image] + length, Length);
            if (first < end)
                Of(image)[first..end].CopyTo(cropped.AsSpan(image * length + first - starts[image]));
        }
        (_sources, Length) = (cropped, length);
    }

    private Span<int> Of(int image) => _sources.AsSpan(image * Length, Length);
}
