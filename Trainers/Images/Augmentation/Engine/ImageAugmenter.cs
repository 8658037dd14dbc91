using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Images;

/// <summary>
/// Applies a list of augmentations to whole batches. All random numbers are drawn on the host, so that they are the same on every
/// device; the pixels are left to torch.
/// </summary>
internal sealed class ImageAugmenter
{
    private readonly IReadOnlyList<ImageAugmentation> _augmentations;
    private readonly List<IImageOperation> _operations = [];

    private ImageAugmenter(IReadOnlyList<ImageAugmentation> augmentations)
    {
        _augmentations = augmentations;
        foreach (var augmentation in augmentations)
            Add(augmentation);
    }

    /// <summary>For tests: operations that no list of augmentations gives.</summary>
    internal ImageAugmenter(params IImageOperation[] operations)
    {
        _augmentations = [];
        _operations.AddRange(operations);
    }

    /// <summary>Prepares the augmentations of a training.</summary>
    /// <param name="augmentations">The list, in the order of application.</param>
    /// <param name="channels">Channels of the images.</param>
    /// <param name="height">Height of the images before the first augmentation.</param>
    /// <param name="width">Width of the images before the first augmentation.</param>
    /// <param name="option">What the list is called in messages.</param>
    /// <exception cref="ArgumentException">A setting is outside its range or does not suit the images.</exception>
    public static ImageAugmenter Create(
        IReadOnlyList<ImageAugmentation> augmentations, int channels, int height, int width, string option = "Augmentations")
    {
        Check(augmentations, option);
        CheckImages(augmentations, channels, height, width);
        return new ImageAugmenter([.. augmentations]);
    }

    /// <summary>Throws where a list is wrong whatever the images are.</summary>
    public static void Check(IReadOnlyList<ImageAugmentation> augmentations, string option = "Augmentations")
    {
        OptionCheck.NotNull(augmentations, option);
        for (var i = 0; i < augmentations.Count; i++)
        {
            OptionCheck.NotNull(augmentations[i], $"{option}[{i}]");
            augmentations[i].Check();
        }
        var mixups = augmentations.OfType<Mixup>().Count();
        if (mixups > 1)
            throw new ArgumentException($"{option} has {nameof(Mixup)} {mixups} times; once is the most.", option);
    }

    /// <summary>The size of the images that come out.</summary>
    public (int Height, int Width) OutputSize(int height, int width)
    {
        foreach (var augmentation in _augmentations)
            (height, width) = augmentation.OutputSize(height, width);
        return (height, width);
    }

    /// <summary>Changes a batch; the results belong to the caller's dispose scope.</summary>
    /// <param name="images">Float32 [N, C, H, W] on any device, contiguous or not; stays as it is.</param>
    /// <param name="random">Where all random numbers come from.</param>
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

    private void Add(ImageAugmentation augmentation)
    {
        switch (augmentation)
        {
            case RandomCrop crop:
                Last<PixelSelection>().Add(new CropStep(crop));
                break;
            case RandomFlip flip:
                Last<PixelSelection>().Add(new FlipStep(flip));
                break;
            case RandomRotation rotation:
                Last<ImageWarp>().Add(AffineStep.Of(rotation));
                break;
            case RandomAffine affine:
                Last<ImageWarp>().Add(AffineStep.Of(affine));
                break;
            case ElasticDistortion elastic:
                Last<ImageWarp>().Add(new ElasticStep(elastic));
                break;
            default:
                _operations.Add(Alone(augmentation));
                break;
        }
    }

    private static IImageOperation Alone(ImageAugmentation augmentation) => augmentation switch
    {
        RandomBrightness brightness => new BrightnessOperation(brightness),
        RandomContrast contrast => new ContrastOperation(contrast),
        RandomSaturation saturation => new SaturationOperation(saturation),
        Cutout cutout => new CutoutOperation(cutout),
        Mixup mixup => new MixupOperation(mixup),
        _ => throw new NotSupportedException($"{augmentation.GetType().Name} has no operation."),
    };

    /// <summary>The operation that the next step joins: the last one if it is of this kind, else a new one.</summary>
    private T Last<T>()
        where T : IImageOperation, new()
    {
        if (_operations.LastOrDefault() is T last)
            return last;
        var operation = new T();
        _operations.Add(operation);
        return operation;
    }
}
