using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace MLExtensions.Images;

/// <summary>Geometric changes that follow one another: the images are interpolated once, however many there are.</summary>
internal sealed class ImageWarp : IImageOperation
{
    private readonly List<IWarpStep> _steps = [];

    public void Add(IWarpStep step) => _steps.Add(step);

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
