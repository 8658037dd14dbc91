using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Gan;

/// <summary>Applies <see cref="DifferentiableAugmentation"/>: each image of a batch is changed in its own way.</summary>
internal static class Augmenter
{
    private const double ShiftShare = 0.125;
    private const double CutShare = 0.5;

    /// <param name="kinds">The changes.</param>
    /// <param name="samples"><c>[rows, values]</c>.</param>
    /// <param name="shape">The size of the images.</param>
    /// <param name="random">Draws the changes.</param>
    public static Tensor Apply(DifferentiableAugmentation kinds, Tensor samples, ImageShape shape, Generator random)
    {
        var images = samples.reshape(-1, shape.Channels, shape.Height, shape.Width);
        if (kinds.HasFlag(DifferentiableAugmentation.Color))
            images = ChangeColor(images, random);
        if (kinds.HasFlag(DifferentiableAugmentation.Translation))
            images = Shift(images, random);
        if (kinds.HasFlag(DifferentiableAugmentation.Cutout))
            images = Cut(images, random);
        return images.flatten(1);
    }

    private static Tensor ChangeColor(Tensor images, Generator random)
    {
        images = images.add(Draw(images, random).sub_(Number.Of(0.5)), Number.One);
        if (images.shape[1] > 1)
        {
            var gray = images.mean([1], keepdim: true);
            images = (images.sub(gray) * Draw(images, random).mul_(Number.Of(2))).add(gray, Number.One);
        }
        var mean = images.mean([1, 2, 3], keepdim: true);
        return (images.sub(mean) * Draw(images, random).add_(Number.Of(0.5), Number.One)).add(mean, Number.One);
    }

    private static Tensor Shift(Tensor images, Generator random)
    {
        images = ShiftAlong(images, 2, random);
        return ShiftAlong(images, 3, random);
    }

    /// <summary>Each image takes its rows or columns from another place of itself, or from a border of zeros.</summary>
    private static Tensor ShiftAlong(Tensor images, int dimension, Generator random)
    {
        var size = images.shape[dimension];
        var reach = (long)Math.Round(size * ShiftShare);
        var shift = randint(-reach, reach + 1, [images.shape[0], 1, 1, 1], dtype: ScalarType.Int64, device: CPU, generator: random).to(images.device);
        long[] along = dimension == 2 ? [1, 1, size, 1] : [1, 1, 1, size];
        var places = arange(Number.Zero, Number.Of(size), Number.One, dtype: ScalarType.Int64, device: images.device).view(along).add(shift, Number.One).add_(Number.One, Number.One).clamp_(Number.Zero, Number.Of(size + 1));
        long[] border = dimension == 2 ? [0, 0, 1, 1] : [1, 1, 0, 0];
        return nn.functional.pad(images, border).gather(dimension, places.expand(images.shape));
    }

    private static Tensor Cut(Tensor images, Generator random)
    {
        var inside = Inside(images, 2, random) * Inside(images, 3, random);
        return images * inside.to(images.dtype).neg().add_(Number.One, Number.One);
    }

    /// <summary>1 for the rows or columns of the square.</summary>
    private static Tensor Inside(Tensor images, int dimension, Generator random)
    {
        var size = images.shape[dimension];
        var side = Math.Max(1, (long)Math.Round(size * CutShare));
        var first = randint(-(side / 2), size + 1 - (side / 2), [images.shape[0], 1, 1, 1], dtype: ScalarType.Int64, device: CPU, generator: random).to(images.device);
        long[] along = dimension == 2 ? [1, 1, size, 1] : [1, 1, 1, size];
        var offsets = arange(Number.Zero, Number.Of(size), Number.One, dtype: ScalarType.Int64, device: images.device).view(along).sub(first);
        return offsets.ge(Number.Zero).logical_and(offsets.lt(Number.Of(side))).to(ScalarType.Float32);
    }

    /// <summary>A number in [0, 1) for each image.</summary>
    private static Tensor Draw(Tensor images, Generator random) =>
        rand([images.shape[0], 1, 1, 1], dtype: ScalarType.Float32, device: CPU, generator: random).to(images.device);
}
