using MLExtensions.Families.Images;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

/// <summary>Images with known pixels, and their way through augmentations.</summary>
internal static class AugmentationSample
{
    /// <summary>Pixels in [0, 255), the same ones for the same shape.</summary>
    public static Tensor RandomPixels(params long[] shape)
    {
        var images = zeros(shape);
        var random = new SplitMix64(7);
        random.Noise(TensorMemory.Floats(images), 127.5f);
        return images + 127.5;
    }

    /// <summary>Each image's pixels are their row's number.</summary>
    public static Tensor RowNumbers(long count, long height, long width) =>
        arange(height, dtype: ScalarType.Float32).view(1, 1, height, 1).expand(count, 1, height, width);

    /// <summary>Each image's pixels are their column's number.</summary>
    public static Tensor ColumnNumbers(long count, long height, long width) =>
        arange(width, dtype: ScalarType.Float32).view(1, 1, 1, width).expand(count, 1, height, width);

    public static AugmentedBatch Apply(Tensor images, ulong seed, params IReadOnlyList<ImageAugmentation> augmentations)
    {
        var random = new SplitMix64(seed);
        return Augmenter(images, augmentations).Apply(images, ref random);
    }

    public static ImageAugmenter Augmenter(Tensor images, params IReadOnlyList<ImageAugmentation> augmentations) =>
        ImageAugmenter.Create(augmentations, (int)images.shape[1], (int)images.shape[2], (int)images.shape[3]);

    /// <summary>Applies steps that no option gives, as one interpolation.</summary>
    public static Tensor Warp(Tensor images, ref SplitMix64 random, params IWarpStep[] steps)
    {
        using var scope = NewDisposeScope();
        return new ImageWarp(steps).Apply(new AugmentedBatch(images), ref random).Images.MoveToOuterDisposeScope();
    }

    public static float[] Values(Tensor tensor) => tensor.contiguous().data<float>().ToArray();

    public static float[] Range(Tensor tensor) => [tensor.min().item<float>(), tensor.max().item<float>()];

    public static void AssertNear(Tensor expected, Tensor actual, double tolerance)
    {
        CollectionAssert.AreEqual(expected.shape, actual.shape);
        Assert.IsLessThanOrEqualTo(tolerance, (expected - actual).abs().max().item<float>());
    }

    public static void AssertSame(Tensor expected, Tensor actual) => AssertNear(expected, actual, 0);
}
