using MLExtensions.Messages;
using MLExtensions.Onnx;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>The input images of a network and their preprocessing before the first layer.</summary>
/// <param name="Shape">The images in the feature column.</param>
public sealed record ImageInput(ImageShape Shape)
{
    /// <summary>Side length in pixels of the square center crop. Default null: the whole image.</summary>
    public int? CropSize { get; init; }

    /// <summary>How pixels are scaled. Default <see cref="PixelScaling.None"/>.</summary>
    public PixelScaling Scaling { get; init; } = PixelScaling.None;

    /// <summary>Whether scoring averages the outputs for an image and its mirror image. Default false.</summary>
    public bool TestTimeFlip { get; init; }

    /// <summary>The input shape of the first layer.</summary>
    internal LayerShape NetworkShape => LayerShape.OfImage(Shape.Channels, CropSize ?? Shape.Height, CropSize ?? Shape.Width);

    /// <summary>
    /// Returns rows of features <c>[rows, values]</c> as images <c>[rows, channels, height, width]</c> that share their memory.
    /// </summary>
    internal Tensor ToImages(Tensor rows)
    {
        if (rows.dim() == 4)
            return rows;
        return Shape.Layout == PixelLayout.Planar
            ? rows.view(-1, Shape.Channels, Shape.Height, Shape.Width)
            : rows.view(-1, Shape.Height, Shape.Width, Shape.Channels).permute(0, 3, 1, 2);
    }

    /// <summary>Crops and scales images, which may already be cropped.</summary>
    internal Tensor Prepare(Tensor images)
    {
        if (CropSize is { } size && (images.shape[2] != size || images.shape[3] != size))
            images = images.narrow(2, (images.shape[2] - size) / 2, size).narrow(3, (images.shape[3] - size) / 2, size);
        return Scaling.Apply(images);
    }

    /// <summary>Writes what <see cref="ToImages"/> and <see cref="Prepare"/> compute as ONNX operators.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="rows"><c>[rows, values]</c>.</param>
    internal string Write(GraphWriter graph, string rows)
    {
        var images = Shape.Layout == PixelLayout.Planar
            ? graph.Reshape(rows, -1, Shape.Channels, Shape.Height, Shape.Width)
            : graph.Transpose(graph.Reshape(rows, -1, Shape.Height, Shape.Width, Shape.Channels), 0, 3, 1, 2);
        if (CropSize is { } size)
        {
            var (top, left) = ((Shape.Height - size) / 2, (Shape.Width - size) / 2);
            images = graph.Slice(graph.Slice(images, 2, top, top + size), 3, left, left + size);
        }
        return Scaling.Write(graph, images, NetworkShape);
    }

    internal void Check(string name)
    {
        if (Shape == null || Scaling == null)
            throw new FormatException($"{name}.{(Shape == null ? "shape" : "scaling")} is missing.");
        Shape.Check($"{name}.shape");
        Scaling.Check(Shape.Channels, $"{name}.scaling");
        if (CropSize is { } size && (size < 1 || size > Shape.Height || size > Shape.Width))
            throw new FormatException(FormattableString.Invariant($"{name}.cropSize is {size}; it must be from 1 to the images' {Shape.Height} x {Shape.Width}."));
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(ImageInput), PrintMembers);
}
