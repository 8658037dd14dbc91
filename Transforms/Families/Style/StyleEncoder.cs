using System.Collections.Concurrent;
using MLExtensions.Families.Images;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>A step of an encoder that a decoder mirrors: a convolution or a block of them, or a pooling.</summary>
/// <param name="Convolves">Whether it is a convolution or a block of them.</param>
/// <param name="Inputs">The number of its input channels.</param>
/// <param name="Outputs">The number of its output channels.</param>
/// <param name="Stride">The distance between two of its positions, in positions of its input.</param>
internal sealed record EncoderStep(bool Convolves, int Inputs, int Outputs, int Stride);

/// <summary>
/// A pretrained image network up to a layer, for pictures of any size. It sees them with a border by reflection, so that every pixel belongs to a
/// position of the layer and what is decoded from the positions can be cut to the picture.
/// </summary>
internal sealed class StyleEncoder
{
    private const int MaximumStride = 32;
    private const int FewestPositions = 2; // a decoder's convolutions reflect a position
    private const int LargestLeast = 1024;
    private const int Probe = 1024;
    private const int ProbedSide = 128;

    private readonly ImageArchitecture _architecture;
    private readonly LossNetwork _network;
    private readonly string _layer;
    private readonly int _offset;
    private readonly int _reach;
    private readonly Lazy<int> _leastSide;
    private readonly ConcurrentDictionary<int, int> _ends = [];

    /// <param name="model">The network, which may have deeper layers. The caller keeps a lease on it.</param>
    /// <param name="layer">The full name of the layer.</param>
    /// <exception cref="FormatException">Decoders cannot mirror the network up to that layer; the message says why.</exception>
    public StyleEncoder(NetworkModelParameters model, string layer)
    {
        _architecture = (ImageArchitecture)model.Architecture;
        _network = new LossNetwork(model, padding: 0);
        _layer = layer;
        var layers = LossLayers.Of(Sized(Probe, Probe));
        var last = layers.Single(other => other.Path == layer).Placed;
        Channels = last.Output.Channels;
        var (first, stride, reach) = (0.0, 1, 0);
        var steps = new List<EncoderStep>();
        foreach (var placed in layers.Select(other => other.Placed))
        {
            var (offset, step) = PlaceOf(placed);
            first += offset * stride;
            stride = checked(stride * step);
            reach += stride * LayerChain.LeavesOf(placed).Sum(ZerosAround);
            var convolves = placed.Layer is ConvolutionLayer || placed.Layer.Inside(placed.Input, placed.Site).Any();
            if (convolves || step > 1)
                steps.Add(new EncoderStep(convolves, placed.Input.Channels, placed.Output.Channels, step));
            if (stride > MaximumStride)
                throw new FormatException(FormattableString.Invariant($"a position of layer '{layer}' stands for {stride} or more pixels a side; a decoder can paint at most {MaximumStride}. Choose an earlier layer."));
            if (placed.Site.Path == layer)
                break;
        }
        if (!steps.Exists(step => step.Convolves))
            throw new FormatException($"there is no convolution up to layer '{layer}'; choose a later one.");
        (Steps, Stride) = (steps, stride);
        // The center of a position's pixels, and the center of what it is painted on.
        var shift = first - ((stride - 1) / 2.0);
        _reach = reach;
        Border = Math.Max(stride, (int)Math.Ceiling(shift + reach));
        _offset = (int)Math.Floor(Border - shift);
        _leastSide = new Lazy<int>(FindLeastSide);
    }

    /// <summary>The convolutions, blocks and poolings up to the layer.</summary>
    public IReadOnlyList<EncoderStep> Steps { get; }

    /// <summary>The full name of the layer.</summary>
    public string Layer => _layer;

    /// <summary>The number of channels of the layer.</summary>
    public int Channels { get; }

    /// <summary>The pixels that a position of the layer stands for, a side.</summary>
    public int Stride { get; }

    /// <summary>The pixels by which pictures are reflected at their left and upper border.</summary>
    public int Border { get; }

    /// <summary>The shortest side of a picture that can be seen.</summary>
    public int LeastSide => _leastSide.Value;

    /// <summary>The outputs of the layer for pictures <c>[rows, 3, height, width]</c> from 0 to 255.</summary>
    public Tensor Encode(Tensor pictures) => Inside(Outputs(pictures, [_layer])[0], pictures.shape[2], pictures.shape[3]);

    /// <summary>Of the outputs of the layer, the positions of a picture without those of its border, which the zeros around inputs have changed.</summary>
    public Tensor Inside(Tensor outputs, long height, long width) => outputs.narrow(2, FirstPosition, CountOf(height)).narrow(3, FirstPosition, CountOf(width));

    /// <summary>The outputs of some layers, with those of the border.</summary>
    public Tensor[] Outputs(Tensor pictures, IReadOnlyList<string> paths) => Measure(pictures, paths, measure: null);

    /// <summary>What is measured of the outputs of some layers, with those of the border; see <see cref="LossNetwork.Measure"/>.</summary>
    public Tensor[] Measure(Tensor pictures, IReadOnlyList<string> paths, Func<int, Tensor, Tensor>? measure)
    {
        using var padded = nn.functional.pad(pictures, [Border, EndOf(pictures.shape[3]), Border, EndOf(pictures.shape[2])], PaddingModes.Reflect);
        return _network.Measure(padded, paths, measure);
    }

    /// <summary>Cuts what was decoded from the positions of a picture to the picture.</summary>
    public Tensor Cut(Tensor decoded, long height, long width) => decoded.narrow(2, _offset % Stride, height).narrow(3, _offset % Stride, width);

    /// <summary>
    /// About the root mean square of the layer's outputs, which differs from network to network by orders of magnitude, as a power of two: that of a
    /// picture with patterns of many sizes, as photographs have them.
    /// </summary>
    public double TypicalSize()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var generator = new Generator(1, CPU);
        var picture = zeros([1, 3, ProbedSide, ProbedSide], ScalarType.Float32, CPU);
        for (var side = 1; side <= ProbedSide; side *= 2)
            picture.add_(nn.functional.interpolate(rand([1, 3, side, side], dtype: ScalarType.Float32, device: CPU, generator: generator), [ProbedSide, ProbedSide], mode: InterpolationMode.Nearest), Number.One);
        var (least, greatest) = (picture.min(), picture.max());
        var size = Encode(picture.sub(least).div(greatest.sub(least)).mul(Number.Of(255L))).pow(Number.Of(2)).mean().item<float>();
        return size > 0 && float.IsFinite(size) ? Math.Pow(2, Math.Round(Math.Log2(size) / 2)) : 1;
    }

    /// <summary>Why the network cannot see pictures of a size; null if it can.</summary>
    public string? ProblemOf(int height, int width) => Math.Min(height, width) >= LeastSide
        ? null
        : FormattableString.Invariant($"each side must have at least {LeastSide} pixels for layer '{_layer}'. Enlarge the picture, or use an earlier layer.");

    /// <summary>The number of positions of the layer for a picture.</summary>
    public (int Height, int Width) PositionsOf(int height, int width) => ((int)CountOf(height), (int)CountOf(width));

    /// <summary>The multiply-adds for a picture.</summary>
    public double MultiplyAdds(int height, int width) => Seeing(height, width).MultiplyAdds;

    /// <summary>The values that looking at a picture takes; see <see cref="PictureMemory"/>.</summary>
    public double PassingValues(int height, int width) => (PictureMemory.ValuesPerPixel * height * width) + PictureMemory.Passing(Seeing(height, width).Placed);

    /// <summary>The values that a picture takes with its gradient, if deviations of some layers are compared.</summary>
    public double LearningValues(int height, int width, IReadOnlyList<string> compared)
    {
        var seen = Seeing(height, width);
        return PictureMemory.Learning(seen.Placed) + LossLayers.Of(seen).Where(layer => compared.Contains(layer.Path)).Sum(layer => (double)layer.Placed.Output.Count);
    }

    /// <summary>The center of the first position of a layer in its input, and the distance between two.</summary>
    private static (double Offset, int Stride) PlaceOf(PlacedLayer placed) => placed.Layer switch
    {
        ConvolutionLayer layer => (((layer.KernelSize - 1) * layer.Dilation / 2.0) - layer.Padding, layer.Stride),
        WindowPoolingLayer layer => (((layer.KernelSize - 1) / 2.0) - layer.Padding, layer.Stride ?? layer.KernelSize),
        _ => (0, Math.Max(1, (int)Math.Round((double)placed.Input.Height / placed.Output.Height))),
    };

    /// <summary>The zeros that a layer puts around its input. What they change must lie outside of the picture, or it becomes a frame.</summary>
    private static int ZerosAround(PlacedLayer placed) => placed.Layer switch
    {
        ConvolutionLayer layer => layer.Padding,
        AveragePoolingLayer layer => layer.Padding,
        _ => 0,
    };

    /// <summary>The first position that has pixels of the picture.</summary>
    private int FirstPosition => _offset / Stride;

    /// <summary>The number of positions that have pixels of a side.</summary>
    private long CountOf(long side) => ((_offset % Stride) + side + Stride - 1) / Stride;

    private ImageArchitecture Seeing(int height, int width) => Sized(Border + height + EndOf(height), Border + width + EndOf(width));

    private ImageArchitecture Sized(int height, int width) => _architecture with
    {
        InputCount = checked(3 * height * width),
        Image = _architecture.Image with { Shape = new ImageShape(3, height, width), CropSize = null },
    };

    private int PositionsOf(int side) => LossLayers.Of(Sized(side, side)).Single(layer => layer.Path == _layer).Placed.Output.Height;

    /// <summary>The pixels by which a side is continued at its end: as few as at its beginning, or as many as its last pixel needs.</summary>
    private int EndOf(long side) => _ends.GetOrAdd(checked((int)side), pixels =>
    {
        var end = Border;
        while (PositionsOf(Border + pixels + end) * Stride < _offset + pixels + _reach)
            end++;
        return end;
    });

    private int FindLeastSide()
    {
        var fitting = 0;
        for (var side = Border + 1; side < LargestLeast; side++)
        {
            fitting = Fits(side) ? fitting + 1 : 0;
            if (fitting == Stride)
                return side - Stride + 1;
        }
        throw new FormatException(FormattableString.Invariant($"layer '{_layer}' cannot see pictures of up to {LargestLeast} pixels a side."));
    }

    private bool Fits(int side)
    {
        try
        {
            return EndOf(side) < side && CountOf(side) >= FewestPositions;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
