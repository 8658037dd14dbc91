using MLExtensions.Onnx;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// Spectral normalization: the layer in it computes with its weights divided by their largest singular value, so that it cannot change much
/// faster than its input. It keeps the discriminator of a generative adversarial network honest. Miyato et al., 2018.
/// </summary>
/// <remarks>The singular value is followed by one power iteration per training step, which costs little.</remarks>
/// <param name="Layer">A convolution, transposed convolution, dense or maxout layer.</param>
public sealed record SpectralNormalizationLayer(ImageLayer Layer) : ImageLayer
{
    private const string LayerName = "layer";

    internal override string Title => $"spectrally normalized {Layer?.Title}";

    internal override bool OutputMayBeOverwritten => Layer.OutputMayBeOverwritten;

    internal override IEnumerable<PlacedLayer> Inside(LayerShape input, LayerSite site) =>
        [new PlacedLayer(Layer, input, Layer.OutputShape(input, InsideOf(site)), InsideOf(site))];

    internal override ImageLayer WithOutputCount(int outputCount) => this with { Layer = Layer.WithOutputCount(outputCount) };

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        if (Layer is not (ConvolutionLayer or TransposedConvolutionLayer or DenseLayer or MaxoutLayer))
            throw new FormatException($"Layer '{site.Path}' (spectral normalization): the layer in it is {Layer?.Title ?? "missing"}; it must be a convolution, transposed convolution, dense or maxout layer.");
        return Layer.OutputShape(input, InsideOf(site));
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        new SpectralNormalizationModule(Layer.CreateModule(input, InsideOf(site)));

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site)
    {
        var inside = InsideOf(site);
        var name = inside.Path + ".weight";
        var (shape, outputs) = Layer switch
        {
            ConvolutionLayer convolution => ([convolution.Filters ?? site.OutputCount, input.Channels / convolution.Groups, convolution.KernelSize, convolution.KernelSize], 0),
            TransposedConvolutionLayer convolution => ([input.Channels, convolution.Filters, convolution.KernelSize, convolution.KernelSize], 1),
            MaxoutLayer maxout => ([(long)maxout.Units * maxout.Pieces, input.Count], 0),
            _ => ((long[])[((DenseLayer)Layer).Units ?? site.OutputCount, input.Count], 0),
        };
        graph.Replace(name, SpectralNorm.Normalize(graph.Tensor(name, shape), graph.Tensor(site.Path + ".u", shape[outputs]).Values, outputs));
        return Layer.Write(graph, x, input, inside);
    }

    private static LayerSite InsideOf(LayerSite site) => site.Child(LayerName);
}

/// <summary>The weights of a spectrally normalized layer in scoring.</summary>
file static class SpectralNorm
{
    private const double LeastNorm = 1e-12;

    /// <summary>Divides weights by their largest singular value, as <see cref="SpectralNormalizationModule"/> estimates it.</summary>
    /// <param name="weight">The weights.</param>
    /// <param name="u">The left singular vector.</param>
    /// <param name="outputDimension">The dimension of the weights that stands for the outputs, 0 or 1.</param>
    public static GraphTensor Normalize(GraphTensor weight, float[] u, int outputDimension)
    {
        var outer = outputDimension == 0 ? 1 : weight.Shape[0];
        var inner = weight.Values.Length / outer / u.Length;
        var right = new double[outer * inner];
        for (var i = 0; i < weight.Values.Length; i++)
            right[ColumnOf(i)] += (double)weight.Values[i] * u[OutputOf(i)];
        var length = Math.Max(LeastNorm, Math.Sqrt(right.Sum(value => value * value)));
        var norm = 0.0;
        for (var i = 0; i < weight.Values.Length; i++)
            norm += weight.Values[i] * u[OutputOf(i)] * right[ColumnOf(i)] / length;
        norm /= Math.Max(LeastNorm, Math.Sqrt(u.Sum(value => (double)value * value)));
        return weight with { Values = Array.ConvertAll(weight.Values, value => (float)(value / Math.Max(LeastNorm, norm))) };

        long OutputOf(int i) => i / inner % u.Length;

        long ColumnOf(int i) => (i / inner / u.Length * inner) + (i % inner);
    }
}

/// <summary>The module of <see cref="SpectralNormalizationLayer"/>: the layer, and the left singular vector <c>u</c>.</summary>
internal sealed class SpectralNormalizationModule : nn.Module<Tensor, Tensor>
{
    private const float LeastNorm = 1e-12f;

    private readonly nn.Module<Tensor, Tensor> layer;
    private readonly Tensor u;

    public SpectralNormalizationModule(nn.Module<Tensor, Tensor> layer)
        : base(nameof(SpectralNormalizationModule))
    {
        this.layer = layer;
        var weighted = (IWeightedModule)layer;
        u = StartVector((int)weighted.Weight.shape[weighted.OutputDimension]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var weighted = (IWeightedModule)layer;
        var weight = weighted.Weight;
        var matrix = (weighted.OutputDimension == 0 ? weight : weight.transpose(0, weighted.OutputDimension)).flatten(1);
        var (left, right) = SingularVectors(matrix);
        var norm = left.dot(matrix.mv(right)).clamp_min(Number.Of(LeastNorm));
        return weighted.Forward(x, weight / norm);
    }

    /// <summary>One power iteration in training; <see cref="u"/> is kept in float32.</summary>
    private (Tensor Left, Tensor Right) SingularVectors(Tensor matrix)
    {
        using var noGradient = no_grad();
        var weights = matrix.detach().to(ScalarType.Float32);
        var right = Unit(weights.t().mv(u));
        if (training)
            u.copy_(Unit(weights.mv(right)));
        // A copy, for the next pass of the same step changes u. A moving average of it is shorter than 1.
        return ((training ? u : Unit(u)).to(matrix.dtype, copy: true), right.to(matrix.dtype));
    }

    private static Tensor Unit(Tensor vector) => vector / vector.norm().clamp_min(Number.Of(LeastNorm));

    /// <summary>Any vector that is not at right angles to the singular vector would do.</summary>
    private static Tensor StartVector(int size)
    {
        var random = new SplitMix64((ulong)size);
        var values = new float[size];
        for (var i = 0; i < size; i++)
            values[i] = (float)((2 * random.NextDouble()) - 1);
        using var scope = NewDisposeScope();
        return Unit(tensor(values, dtype: ScalarType.Float32, device: CPU)).DetachFromDisposeScope();
    }
}
