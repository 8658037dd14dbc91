using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Images;

/// <summary>Crops and flips that follow one another: each pixel is copied once, none is interpolated.</summary>
internal sealed class PixelSelection : IImageOperation
{
    private readonly List<ISelectionStep> _steps = [];

    public void Add(ISelectionStep step) => _steps.Add(step);

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
        var positions = (rowStarts + columnOffsets).view(count, 1, -1).expand(count, channels, -1);
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
        return PerImage.Send(positions, shape, device);
    }

    private static void BlankOutside(Tensor selected, AxisMap map, long[] shape)
    {
        var sources = map.Sources;
        if (!sources.Contains(AxisMap.Outside))
            return;
        var inside = new float[sources.Length];
        for (var i = 0; i < inside.Length; i++)
            inside[i] = sources[i] == AxisMap.Outside ? 0 : 1;
        selected.mul_(PerImage.Send(inside, shape, selected.device));
    }
}

/// <summary>A crop or a flip.</summary>
internal interface ISelectionStep
{
    void Apply(int count, AxisMap rows, AxisMap columns, ref SplitMix64 random);
}

internal sealed class FlipStep(RandomFlip settings) : ISelectionStep
{
    public void Apply(int count, AxisMap rows, AxisMap columns, ref SplitMix64 random)
    {
        for (var i = 0; i < count; i++)
        {
            if (settings.Horizontal && random.Chance(settings.Probability))
                columns.Reverse(i);
            if (settings.Vertical && random.Chance(settings.Probability))
                rows.Reverse(i);
        }
    }
}

internal sealed class CropStep(RandomCrop settings) : ISelectionStep
{
    public void Apply(int count, AxisMap rows, AxisMap columns, ref SplitMix64 random)
    {
        var (height, width) = settings.OutputSize(rows.Length, columns.Length);
        var tops = new int[count];
        var lefts = new int[count];
        for (var i = 0; i < count; i++)
        {
            var atRandom = random.Chance(settings.Probability);
            tops[i] = Start(rows.Length, height, atRandom, ref random);
            lefts[i] = Start(columns.Length, width, atRandom, ref random);
        }
        rows.Crop(tops, height);
        columns.Crop(lefts, width);
    }

    private int Start(int length, int crop, bool atRandom, ref SplitMix64 random)
    {
        var places = length + 2 * settings.Padding - crop + 1;
        return (atRandom ? random.Next(places) : places / 2) - settings.Padding;
    }
}
