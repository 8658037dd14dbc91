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
    /// <exception cref="ArgumentException">A picture cannot be read or is too small; the message names it.</exception>
    public static StylePictures Read(StyleTransferEstimator.Options options, NetworkModelParameters network)
    {
        var size = new PictureSizes(network, options.BorderPadding);
        var pictures = new List<StylePicture>();
        foreach (var path in options.StylePaths)
        {
            using var image = Open(path);
            pictures.Add(Scaled(image, $"{nameof(options.StylePaths)} '{path}'"));
        }
        for (var i = 0; i < options.StyleImages.Count; i++)
            pictures.Add(Scaled(options.StyleImages[i] ?? throw new ArgumentException(FormattableString.Invariant($"{nameof(options.StyleImages)}[{i}] is null."), nameof(options.StyleImages)), FormattableString.Invariant($"{nameof(options.StyleImages)}[{i}]")));
        var shares = options.StyleBlendWeights ?? Enumerable.Repeat(1.0, pictures.Count).ToArray();
        return new StylePictures(pictures, shares.Select(share => share / shares.Sum()).ToArray());

        StylePicture Scaled(MLImage image, string name)
        {
            var picture = StylePicture.Of(image, options.StyleScale);
            if (size.ProblemOf(picture.Height, picture.Width) is { } problem)
                throw new ArgumentException(FormattableString.Invariant($"{name} has {picture.Height} x {picture.Width} pixels (height x width){(options.StyleScale == 1 ? "" : FormattableString.Invariant($" with {nameof(options.StyleScale)} = {options.StyleScale}"))}: {problem}"), nameof(options.StylePaths));
            return picture;
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
        try
        {
            return MLImage.CreateFromFile(path);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NullReferenceException)
        {
            throw new ArgumentException($"{nameof(StyleTransferEstimator.Options.StylePaths)} contains '{path}'; the file is not a picture that can be read (JPEG, PNG, BMP, GIF, WebP).", nameof(StyleTransferEstimator.Options.StylePaths), e);
        }
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
            long[] size = [Math.Max(1, (long)Math.Round(pixels.shape[2] * scale)), Math.Max(1, (long)Math.Round(pixels.shape[3] * scale))];
            pixels = scale < 1
                ? nn.functional.interpolate(pixels, size, mode: InterpolationMode.Area)
                : nn.functional.interpolate(pixels, size, mode: InterpolationMode.Bilinear, align_corners: false);
        }
        var bytes = pixels.round().clamp(Number.Zero, Number.Of(255L)).to(ScalarType.Byte).contiguous();
        return new StylePicture((int)pixels.shape[2], (int)pixels.shape[3], bytes.bytes.ToArray());
    }

    /// <summary><c>[1, 3, height, width]</c> from 0 to 255.</summary>
    public Tensor ToTensor() => Cut(0, 0, Height, Width);

    /// <summary>A part of it, <c>[1, 3, height, width]</c> from 0 to 255.</summary>
    public Tensor Cut(int top, int left, int height, int width) =>
        tensor(Colors, [1, 3, Height, Width], ScalarType.Byte, CPU).narrow(2, top, height).narrow(3, left, width).to(ScalarType.Float32);
}
