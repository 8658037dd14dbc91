using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>The style pictures of a style transfer with their shares.</summary>
/// <param name="Pictures">The pictures, after scaling: planar bytes.</param>
/// <param name="Shares">Their shares, which sum to 1.</param>
internal sealed record StylePictures(IReadOnlyList<StylePicture> Pictures, IReadOnlyList<double> Shares)
{
    /// <summary>Reads the style pictures, and checks that the network can see them.</summary>
    /// <param name="options">The options that name them.</param>
    /// <param name="network">The network.</param>
    /// <param name="areSeenWhole">Whether the network sees whole pictures, rather than parts of them.</param>
    /// <exception cref="ArgumentException">A picture cannot be read or is too small; the message names it.</exception>
    /// <exception cref="InsufficientMemoryException">A picture needs more memory than there is; the message names it.</exception>
    public static StylePictures Read(StyleTransferEstimator.Options options, NetworkModelParameters network, bool areSeenWhole = true)
    {
        var sizes = new PictureSizes(network, options.BorderPadding);
        var pictures = new List<StylePicture>();
        for (var i = 0; i < options.StylePaths.Count + options.StyleImages.Count; i++)
        {
            var (name, option) = NameOf(options.StylePaths, i);
            if (i < options.StylePaths.Count)
            {
                using var image = Open(options.StylePaths[i]);
                pictures.Add(Scaled(image, name, option));
            }
            else
                pictures.Add(Scaled(options.StyleImages[i - options.StylePaths.Count], name, option));
        }
        var shares = options.StyleBlendWeights ?? Enumerable.Repeat(1.0, pictures.Count).ToArray();
        return new StylePictures(pictures, shares.Select(share => share / shares.Sum()).ToArray());

        StylePicture Scaled(MLImage? image, string name, string option)
        {
            var (height, width) = SizeOf(image, name, option);
            var (rows, columns) = StylePicture.SizeOf(height, width, options.StyleScale);
            var what = FormattableString.Invariant($"{name} has {rows} x {columns} pixels (height x width){(options.StyleScale == 1 ? "" : FormattableString.Invariant($" with {nameof(options.StyleScale)} = {options.StyleScale}"))}");
            // No tensor of a layer has more values; what is too large for an int is too large for any network.
            var isCountable = (double)rows * columns <= int.MaxValue / ImageReader.ColorChannels;
            if (isCountable && sizes.ProblemOf((int)rows, (int)columns) is { } problem)
                throw new ArgumentException($"{what}: {problem}", option);
            var read = PictureMemory.ValuesPerPixel * (((double)rows * columns) + ((double)height * width));
            var seen = isCountable && areSeenWhole ? sizes.PassingValues((int)rows, (int)columns) : 0;
            PictureMemory.Check(
                PictureMemory.BytesOf(Math.Max(read, seen)),
                $"{what}, and their style",
                $"Make the picture smaller{(options.StyleScale > 1 ? $", or {nameof(options.StyleScale)}" : "")}.");
            return StylePicture.Of(image!, options.StyleScale);
        }
    }

    /// <summary>The name of a style picture in messages, and the option that has it.</summary>
    /// <param name="paths">The files of the first pictures.</param>
    /// <param name="index">The place among all.</param>
    public static (string Name, string Option) NameOf(IReadOnlyList<string> paths, int index) => index < paths.Count
        ? ($"{nameof(StyleTransferEstimator.Options.StylePaths)} '{paths[index]}'", nameof(StyleTransferEstimator.Options.StylePaths))
        : (FormattableString.Invariant($"{nameof(StyleTransferEstimator.Options.StyleImages)}[{index - paths.Count}]"), nameof(StyleTransferEstimator.Options.StyleImages));

    private static (int Height, int Width) SizeOf(MLImage? image, string name, string option)
    {
        try
        {
            return image == null ? throw new ArgumentException($"{name} is null.", option) : (image.Height, image.Width);
        }
        catch (InvalidOperationException e)
        {
            throw new ArgumentException($"{name} is disposed; style pictures must live until the training has read them.", option, e);
        }
    }

    /// <summary>The Gram matrices of the style: the sum of those of the pictures, by their shares.</summary>
    /// <param name="loss">Computes them.</param>
    /// <param name="prepare">Changes a picture before its style is measured; null for nothing.</param>
    public Tensor[] Grams(TransferLoss loss, Func<Tensor, Tensor>? prepare = null)
    {
        using var noGradient = no_grad();
        Tensor[]? sums = null;
        for (var i = 0; i < Pictures.Count; i++)
        {
            using var scope = NewDisposeScope();
            var pixels = Pictures[i].ToTensor();
            var grams = loss.StyleOf(prepare == null ? pixels : prepare(pixels));
            for (var layer = 0; layer < grams.Length; layer++)
            {
                var part = grams[layer].mul(Number.Of(Shares[i]));
                grams[layer] = (sums == null ? part : part.add(sums[layer], Number.One)).MoveToOuterDisposeScope();
            }
            sums = grams;
        }
        return sums!;
    }

    /// <summary>The Gram matrices of each picture: for each layer <c>[pictures, channels, channels]</c>, which belong to the caller.</summary>
    /// <param name="loss">Computes them.</param>
    /// <param name="device">Where its network is.</param>
    public Tensor[] GramsOfEach(TransferLoss loss, Device device)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var ofPictures = Pictures.Select(picture =>
        {
            using var inner = NewDisposeScope();
            return Array.ConvertAll(loss.StyleOf(picture.ToTensor().to(device)), gram => gram.MoveToOuterDisposeScope());
        }).ToArray();
        return Enumerable.Range(0, ofPictures[0].Length).Select(layer => cat(Array.ConvertAll(ofPictures, grams => grams[layer]), 0).DetachFromDisposeScope()).ToArray();
    }

    private static MLImage Open(string path)
    {
        if (string.IsNullOrWhiteSpace(path) || !File.Exists(path))
            throw new FileNotFoundException($"{nameof(StyleTransferEstimator.Options.StylePaths)} contains '{path}'; the file does not exist.", path);
        return ImageFile.TryDecode(path, upright: true, out var problem)
            ?? throw new ArgumentException($"{nameof(StyleTransferEstimator.Options.StylePaths)} contains '{path}': {problem}.", nameof(StyleTransferEstimator.Options.StylePaths));
    }
}

/// <summary>A style picture.</summary>
/// <param name="Height">The number of pixel rows.</param>
/// <param name="Width">The number of pixels in a row.</param>
/// <param name="Colors">Planar red, green and blue.</param>
internal sealed record StylePicture(int Height, int Width, byte[] Colors)
{
    public static StylePicture Of(MLImage image, double scale)
    {
        using var state = TorchState.Enter();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var pixels = Picture.Of(image, "style", 0).ToTensor();
        if (scale != 1)
        {
            var (rows, columns) = SizeOf(image.Height, image.Width, scale);
            long[] size = [rows, columns];
            pixels = scale < 1
                ? nn.functional.interpolate(pixels, size, mode: InterpolationMode.Area)
                : nn.functional.interpolate(pixels, size, mode: InterpolationMode.Bilinear, align_corners: false);
        }
        var bytes = pixels.round().clamp(Number.Zero, Number.Of(255L)).to(ScalarType.Byte).contiguous();
        return new StylePicture((int)pixels.shape[2], (int)pixels.shape[3], bytes.bytes.ToArray());
    }

    /// <summary>The size of a picture after scaling.</summary>
    public static (long Height, long Width) SizeOf(int height, int width, double scale) =>
        (Math.Max(1, (long)Math.Round(height * scale)), Math.Max(1, (long)Math.Round(width * scale)));

    /// <summary><c>[1, 3, height, width]</c> from 0 to 255.</summary>
    public Tensor ToTensor() => Cut(0, 0, Height, Width);

    /// <summary>A part of it, <c>[1, 3, height, width]</c> from 0 to 255.</summary>
    public Tensor Cut(int top, int left, int height, int width) =>
        tensor(Colors, [1, 3, Height, Width], ScalarType.Byte, CPU).narrow(2, top, height).narrow(3, left, width).to(ScalarType.Float32);
}
