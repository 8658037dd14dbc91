using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.Images;

/// <summary>
/// Applies a list of augmentations to whole batches. All random numbers are drawn on the host, so that they are the same on every device;
/// torch computes the pixels.
/// </summary>
internal sealed class ImageAugmenter
{
    private readonly IReadOnlyList<ImageAugmentation> _augmentations;
    private readonly List<IImageOperation> _operations = [];

    private ImageAugmenter(IReadOnlyList<ImageAugmentation> augmentations)
    {
        _augmentations = augmentations;
        foreach (var operation in augmentations.Select(augmentation => augmentation.CreateOperation()))
        {
            if (_operations.LastOrDefault()?.TryAppend(operation) != true)
                _operations.Add(operation);
        }
    }

    /// <summary>Prepares the augmentations of a training.</summary>
    /// <param name="augmentations">The list, in the order of application.</param>
    /// <param name="channels">Channels of the images.</param>
    /// <param name="height">Height of the images before the first augmentation.</param>
    /// <param name="width">Width of the images before the first augmentation.</param>
    /// <param name="option">The name of the list in messages.</param>
    /// <exception cref="ArgumentException">A setting is out of range or does not fit the images.</exception>
    public static ImageAugmenter Create(
        IReadOnlyList<ImageAugmentation> augmentations, int channels, int height, int width, string option = "Augmentations")
    {
        Check(augmentations, option);
        CheckImages(augmentations, channels, height, width);
        return new ImageAugmenter([.. augmentations]);
    }

    /// <summary>Throws if a list is invalid for all images.</summary>
    public static void Check(IReadOnlyList<ImageAugmentation> augmentations, string option = "Augmentations")
    {
        OptionCheck.NotNull(augmentations, option);
        for (var i = 0; i < augmentations.Count; i++)
        {
            OptionCheck.NotNull(augmentations[i], FormattableString.Invariant($"{option}[{i}]"));
            augmentations[i].Check();
        }
        var mixups = augmentations.OfType<Mixup>().Count();
        if (mixups > 1)
            throw new ArgumentException(FormattableString.Invariant($"{option} has {nameof(Mixup)} {mixups} times; it may be used once."), option);
    }

    /// <summary>The size of the augmented images.</summary>
    public (int Height, int Width) OutputSize(int height, int width)
    {
        foreach (var augmentation in _augmentations)
            (height, width) = augmentation.OutputSize(height, width);
        return (height, width);
    }

    /// <summary>Augments a batch. The results belong to the caller's dispose scope.</summary>
    /// <param name="images">Float32 [N, C, H, W] on any device, contiguous or not; not changed.</param>
    /// <param name="random">The source of all random numbers.</param>
    public AugmentedBatch Apply(Tensor images, ref SplitMix64 random)
    {
        CheckImages(_augmentations, (int)images.shape[1], (int)images.shape[2], (int)images.shape[3]);
        using var scope = NewDisposeScope();
        var batch = new AugmentedBatch(images);
        foreach (var operation in _operations)
            batch = operation.Apply(batch, ref random);
        if (!ReferenceEquals(batch.Images, images))
            batch.Images.MoveToOuterDisposeScope();
        batch.Partner?.MoveToOuterDisposeScope();
        return batch;
    }

    private static void CheckImages(IReadOnlyList<ImageAugmentation> augmentations, int channels, int height, int width)
    {
        foreach (var augmentation in augmentations)
        {
            augmentation.CheckImages(channels, height, width);
            (height, width) = augmentation.OutputSize(height, width);
        }
    }
}

/// <summary>Changes a whole batch of images at once, without writing to the input tensor.</summary>
internal interface IImageOperation
{
    /// <summary>Takes over the next operation if both can be done at once.</summary>
    bool TryAppend(IImageOperation next) => false;

    AugmentedBatch Apply(AugmentedBatch batch, ref SplitMix64 random);
}

/// <summary>A batch on its way through the augmentations.</summary>
/// <param name="Images">Float32 [N, C, H, W]; the input tensor itself if nothing is to be done.</param>
/// <param name="Partner">The image that each one is blended with, Int64 [N], on the images' device; null without mixup.</param>
/// <param name="PartnerShare">The partner's share of the blend, in [0, 1]; null without mixup.</param>
internal sealed record AugmentedBatch(Tensor Images, Tensor? Partner = null, float? PartnerShare = null);
