using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Messages;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A layer of an image network or of a generative network: an immutable record that is saved as JSON with the model, computes its output shape, and creates its
/// module.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "$type")]
[JsonDerivedType(typeof(ConvolutionLayer), "convolution")]
[JsonDerivedType(typeof(MaxPoolingLayer), "maxPooling")]
[JsonDerivedType(typeof(AveragePoolingLayer), "averagePooling")]
[JsonDerivedType(typeof(AdaptiveAveragePoolingLayer), "adaptiveAveragePooling")]
[JsonDerivedType(typeof(GlobalAveragePoolingLayer), "globalAveragePooling")]
[JsonDerivedType(typeof(GlobalMaxPoolingLayer), "globalMaxPooling")]
[JsonDerivedType(typeof(BatchNormalizationLayer), "batchNormalization")]
[JsonDerivedType(typeof(LocalResponseNormalizationLayer), "localResponseNormalization")]
[JsonDerivedType(typeof(ActivationLayer), "activation")]
[JsonDerivedType(typeof(DropoutLayer), "dropout")]
[JsonDerivedType(typeof(FlattenLayer), "flatten")]
[JsonDerivedType(typeof(DenseLayer), "dense")]
[JsonDerivedType(typeof(SequenceLayer), "sequence")]
[JsonDerivedType(typeof(ConcatenationLayer), "concatenation")]
[JsonDerivedType(typeof(ResidualLayer), "residual")]
[JsonDerivedType(typeof(PaddedShortcutLayer), "paddedShortcut")]
[JsonDerivedType(typeof(FireLayer), "fire")]
[JsonDerivedType(typeof(InceptionLayer), "inception")]
[JsonDerivedType(typeof(TransposedConvolutionLayer), "transposedConvolution")]
[JsonDerivedType(typeof(UpsamplingLayer), "upsampling")]
[JsonDerivedType(typeof(ReshapeLayer), "reshape")]
[JsonDerivedType(typeof(MaxoutLayer), "maxout")]
[JsonDerivedType(typeof(SpectralNormalizationLayer), "spectralNormalization")]
public abstract record ImageLayer
{
    private protected ImageLayer()
    {
    }

    /// <summary>
    /// The name of the layer within the names of its parameters, such as <c>conv1</c> in <c>layer1.0.conv1.weight</c>. Default null: its
    /// position among its siblings, from 0, as in a PyTorch <c>Sequential</c>.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>The name of the layer in tables and errors.</summary>
    internal abstract string Title { get; }

    /// <summary>Whether its output is a new tensor that its own backward pass does not need.</summary>
    internal virtual bool OutputMayBeOverwritten => false;

    /// <summary>The inner layers with their inputs; empty for a simple layer.</summary>
    internal virtual IEnumerable<PlacedLayer> Inside(LayerShape input, LayerSite site) => [];

    /// <summary>Returns the same layer with the number of network outputs filled in.</summary>
    internal virtual ImageLayer WithOutputCount(int outputCount) => this;

    /// <exception cref="FormatException">A setting is out of range or the input does not fit; the message names the layer.</exception>
    internal abstract LayerShape OutputShape(LayerShape input, LayerSite site);

    /// <summary>The number of weights and biases.</summary>
    internal virtual long ParameterCount(LayerShape input, LayerSite site) =>
        Inside(input, site).Sum(placed => placed.Layer.ParameterCount(placed.Input, placed.Site));

    /// <summary>The multiply-adds per row; only those of convolutions and dense layers count.</summary>
    internal virtual long MultiplyAdds(LayerShape input, LayerSite site) =>
        Inside(input, site).Sum(placed => placed.Layer.MultiplyAdds(placed.Input, placed.Site));

    internal abstract nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site);

    /// <summary>Writes what the module computes in scoring as ONNX operators.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">The input: <c>[rows, channels, height, width]</c> or <c>[rows, values]</c>.</param>
    /// <param name="input">Its shape.</param>
    /// <param name="site">The position of the layer.</param>
    /// <returns>The output.</returns>
    internal abstract string Write(GraphWriter graph, string x, LayerShape input, LayerSite site);

    private protected void Require(bool condition, LayerSite site, string problem)
    {
        if (!condition)
            throw site.Wrong(this, problem);
    }

    private protected void RequireImage(LayerShape input, LayerSite site) =>
        Require(!input.IsVector, site, FormattableString.Invariant($"it needs an image, but its input is a vector of {input.Channels}."));

    /// <summary>Returns the values as text.</summary>
    public sealed override string ToString() => RecordText.Of(GetType().Name, PrintMembers);
}

/// <summary>A layer with its position.</summary>
internal readonly record struct PlacedLayer(ImageLayer Layer, LayerShape Input, LayerShape Output, LayerSite Site);

/// <summary>A layer without parameters.</summary>
internal sealed class FunctionModule(string name, Func<Tensor, Tensor> function) : nn.Module<Tensor, Tensor>(name)
{
    public override Tensor forward(Tensor x) => function(x);
}
