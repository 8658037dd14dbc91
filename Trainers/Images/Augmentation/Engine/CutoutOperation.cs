using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Images;

/// <summary>Fills a square of each image.</summary>
internal sealed class CutoutOperation(Cutout settings) : IImageOperation
{
    public AugmentedBatch Apply(AugmentedBatch batch, ref SplitMix64 random)
    {
        var images = batch.Images;
        var (count, height, width) = (images.shape[0], (int)images.shape[2], (int)images.shape[3]);
        var tops = new long[count];
        var lefts = new long[count];
        for (var i = 0; i < count; i++)
        {
            tops[i] = random.Next(height - settings.Size + 1);
            lefts[i] = random.Next(width - settings.Size + 1);
            if (!random.Chance(settings.Probability))
                tops[i] = height;
        }
        var rows = Within(tops, height, images.device).view(count, 1, height, 1);
        var columns = Within(lefts, width, images.device).view(count, 1, 1, width);
        using Scalar fill = settings.Fill;
        return batch with { Images = images.masked_fill(rows.logical_and(columns), fill) };
    }

    /// <summary>Which of the rows or columns belong to each image's square: [N, length].</summary>
    private Tensor Within(long[] starts, int length, Device device)
    {
        var distance = arange(length, dtype: ScalarType.Int64, device: device) - PerImage.Send(starts, [starts.Length, 1], device);
        return distance.ge(0).logical_and(distance.lt(settings.Size));
    }
}
