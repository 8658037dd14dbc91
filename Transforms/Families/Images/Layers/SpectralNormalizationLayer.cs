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

    private static LayerSite InsideOf(LayerSite site) => site.Child(LayerName);
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
        // A copy, for the next pass of the same step changes u.
        return (u.to(matrix.dtype, copy: true), right.to(matrix.dtype));
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
