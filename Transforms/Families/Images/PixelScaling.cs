using MLExtensions.Messages;
using MLExtensions.Onnx;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// The scaling of pixels before the first layer: (pixel * factor - mean) / standard deviation, or the standardization of each image. It is
/// part of the model, so it is the same in training and scoring.
/// </summary>
public sealed record PixelScaling
{
    /// <summary>No scaling.</summary>
    public static PixelScaling None { get; } = new();

    /// <summary>Scales 0 to 255 to 0 to 1.</summary>
    public static PixelScaling ToUnit { get; } = new() { Factor = 1 / 255.0 };

    /// <summary>
    /// Scales 0 to 255 as torchvision's ImageNet networks expect it: red, green and blue with about mean 0 and standard deviation 1.
    /// </summary>
    public static PixelScaling ImageNet { get; } = new()
    {
        Factor = 1 / 255.0,
        Mean = [0.485, 0.456, 0.406],
        StandardDeviation = [0.229, 0.224, 0.225],
    };

    /// <summary>Standardizes each image to mean 0 and standard deviation 1, as <c>tf.image.per_image_standardization</c> does.</summary>
    public static PixelScaling PerImageStandardization { get; } = new() { PerImage = true };

    /// <summary>The factor on the pixels. Default 1.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>The value to subtract, one per channel or one for all. Default null: 0.</summary>
    public IReadOnlyList<double>? Mean { get; init; }

    /// <summary>The divisor, one per channel or one for all. Default null: 1.</summary>
    public IReadOnlyList<double>? StandardDeviation { get; init; }

    /// <summary>
    /// Whether each image is standardized with its own mean and standard deviation, which is at least 1 / sqrt(values). Default false.
    /// </summary>
    public bool PerImage { get; init; }

    /// <inheritdoc/>
    public bool Equals(PixelScaling? other) =>
        other != null && Factor.Equals(other.Factor) && PerImage == other.PerImage && Same(Mean, other.Mean) && Same(StandardDeviation, other.StandardDeviation);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Factor, PerImage, Mean?.Count, StandardDeviation?.Count);

    /// <summary>Scales <c>[rows, channels, height, width]</c>.</summary>
    internal Tensor Apply(Tensor images)
    {
        if (PerImage)
            return Standardize(images);
        if (Mean == null && StandardDeviation == null)
            return Factor == 1 ? images : images.mul(Number.Of(Factor));
        var channels = (int)images.shape[1];
        var slopes = Enumerable.Range(0, channels).Select(channel => (float)(Factor / At(StandardDeviation, channel, 1))).ToArray();
        var offsets = Enumerable.Range(0, channels).Select(channel => (float)(-At(Mean, channel, 0) / At(StandardDeviation, channel, 1))).ToArray();
        return addcmul(PerChannel(offsets, images), images, PerChannel(slopes, images), Number.One);
    }

    /// <summary>Writes what <see cref="Apply"/> computes as ONNX operators.</summary>
    internal string Write(GraphWriter graph, string images, LayerShape shape)
    {
        if (PerImage)
            return Standardize(graph, images, shape.Count);
        if (Mean == null && StandardDeviation == null)
            return graph.Scale(images, Factor);
        var scaled = graph.Multiply(images, PerChannel(graph, shape.Channels, channel => Factor / At(StandardDeviation, channel, 1)));
        return Mean == null ? scaled : graph.Add(scaled, PerChannel(graph, shape.Channels, channel => -At(Mean, channel, 0) / At(StandardDeviation, channel, 1)));
    }

    /// <exception cref="FormatException">A number is invalid; the message names it.</exception>
    internal void Check(int channels, string name)
    {
        if (!double.IsFinite(Factor) || Factor == 0)
            throw new FormatException(FormattableString.Invariant($"{name}.factor is {Factor}; it must be finite and not 0."));
        CheckList(Mean, channels, $"{name}.mean", double.IsFinite, "finite");
        CheckList(StandardDeviation, channels, $"{name}.standardDeviation", value => double.IsFinite(value) && value > 0, "finite and greater than 0");
    }

    private static Tensor Standardize(Tensor images)
    {
        var count = images.shape[1] * images.shape[2] * images.shape[3];
        var mean = images.mean([1, 2, 3], keepdim: true);
        var centred = images - mean;
        var deviation = centred.pow(Number.Of(2)).mean([1, 2, 3], keepdim: true).sqrt_().clamp_min_(Number.Of(1 / Math.Sqrt(count)));
        return centred.div_(deviation);
    }

    private static string Standardize(GraphWriter graph, string images, long count)
    {
        var centered = graph.Node("Sub", [images, graph.Reduce("ReduceMean", images, keepDimensions: true, 1, 2, 3)]);
        var deviation = graph.Node("Sqrt", graph.Reduce("ReduceMean", graph.Multiply(centered, centered), keepDimensions: true, 1, 2, 3));
        return graph.Node("Div", [centered, graph.Node("Max", [deviation, graph.Constant(1 / Math.Sqrt(count))])]);
    }

    private static string PerChannel(GraphWriter graph, int channels, Func<int, double> value) =>
        graph.Constant(new GraphTensor(Enumerable.Range(0, channels).Select(channel => (float)value(channel)).ToArray(), 1, channels, 1, 1));

    private static Tensor PerChannel(float[] values, Tensor like) =>
        tensor(values, dtype: like.dtype, device: like.device).view(1, values.Length, 1, 1);

    private static double At(IReadOnlyList<double>? values, int channel, double otherwise) =>
        values == null ? otherwise : values[values.Count == 1 ? 0 : channel];

    private static bool Same(IReadOnlyList<double>? a, IReadOnlyList<double>? b) =>
        a == null || b == null ? a == b : a.SequenceEqual(b);

    private static void CheckList(IReadOnlyList<double>? values, int channels, string name, Func<double, bool> isGood, string allowed)
    {
        if (values == null)
            return;
        if (values.Count != 1 && values.Count != channels)
            throw new FormatException(FormattableString.Invariant($"{name} has {values.Count} numbers; it must have 1 or {channels}, the channels of the images."));
        foreach (var value in values)
        {
            if (!isGood(value))
                throw new FormatException(FormattableString.Invariant($"{name} contains {value}; it must be {allowed}."));
        }
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(PixelScaling), PrintMembers);
}
