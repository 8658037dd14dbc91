using MLExtensions.Training;

namespace MLExtensions.Images;

/// <summary>Changes a whole batch of images at once, without writing into the tensor it was given.</summary>
internal interface IImageOperation
{
    AugmentedBatch Apply(AugmentedBatch batch, ref SplitMix64 random);
}
