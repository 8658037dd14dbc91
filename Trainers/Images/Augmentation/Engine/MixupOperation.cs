using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Images;

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
        var partner = PerImage.Send(Array.ConvertAll(order, i => (long)i), [order.Length], batch.Images.device);
        var weight = PerImage.Column([share], batch.Images);
        return new AugmentedBatch(lerp(batch.Images, batch.Images.index_select(0, partner), weight), partner, share);
    }
}
