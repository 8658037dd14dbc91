using MLExtensions.Families.Images;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// Blends every image with another one of its batch, and their labels in the same proportion, which is drawn from Beta(<see cref="Alpha"/>,
/// <see cref="Alpha"/>) once per batch.
/// </summary>
/// <remarks>Zhang, Cissé, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization" (2018). At most once in a list.</remarks>
public sealed record Mixup : ImageAugmentation
{
    /// <summary>
    /// Both parameters of the Beta distribution, greater than 0. Small values leave most batches nearly unchanged, 1 makes all proportions
    /// equally likely, and large values blend half and half. Default 0.2; the paper uses 1 for CIFAR-10 and 0.1 to 0.4 for ImageNet.
    /// </summary>
    public double Alpha { get; init; } = 0.2;

    internal override IImageOperation CreateOperation() => new MixupOperation(this);

    private protected override void CheckSettings() => OptionCheck.Positive(Alpha, NameOf(nameof(Alpha)));
}

/// <summary>Blends each image with another one.</summary>
internal sealed class MixupOperation(Mixup settings) : IImageOperation
{
    public AugmentedBatch Apply(AugmentedBatch batch, ref SplitMix64 random)
    {
        if (!random.Chance(settings.Probability))
            return batch;
        var order = Enumerable.Range(0, (int)batch.Images.shape[0]).ToArray();
        random.Shuffle(order);
        var share = (float)random.SymmetricBeta(settings.Alpha);
        var partner = PerImage.ToTensor(Array.ConvertAll(order, i => (long)i), [order.Length], batch.Images.device);
        var weight = PerImage.Column([share], batch.Images);
        return new AugmentedBatch(lerp(batch.Images, batch.Images.index_select(0, partner), weight), partner, share);
    }
}
