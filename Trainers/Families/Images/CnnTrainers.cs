using Microsoft.ML.Runtime;
using MLExtensions.Supervised;

namespace MLExtensions;

/// <summary>Trains a convolutional network for binary classification.</summary>
/// <remarks>
/// <para>
/// Features are images: an <c>MLImage</c> column of known size (LoadImages and ResizeImages), or a <c>Vector&lt;Single&gt;</c> whose
/// dimensions are channels, height and width (set by ExtractPixels, or by <see cref="ImageOptions.ImageShape"/>). The label is
/// <c>Boolean</c>. The transformer adds <c>Score</c> (the logit), <c>Probability</c> (its sigmoid) and <c>PredictedLabel</c>
/// (whether it is above the threshold).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Binary classification</description></item>
/// <item><term>Is normalization required?</term><description>Recommended: pixels with values around 1, see
/// <see cref="ImageOptions.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes, for vectors of pixels</description></item>
/// </list>
/// <para>
/// Convolutions detect the same small patterns everywhere in an image (LeCun, Bottou, Bengio and Haffner, 1998; Krizhevsky, Sutskever and
/// Hinton, 2012). Training minimizes the cross entropy of the sigmoid by backpropagation over shuffled mini-batches. The same seed, data,
/// computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class CnnBinaryTrainer : NetworkTrainer<BinaryNetworkTransformer>
{
    internal CnnBinaryTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(CnnBinaryTrainer), options, new BinaryTask())
    {
    }

    /// <summary>The options of <see cref="CnnBinaryTrainer"/>.</summary>
    public sealed class Options : CnnOptions
    {
        /// <summary>
        /// The weights of the classes in the loss. Default <see cref="MLExtensions.ClassWeights.None"/>: all examples have the same weight.
        /// </summary>
        public ClassWeights ClassWeights { get; set; } = ClassWeights.None;

        /// <summary>
        /// The probability above which <c>PredictedLabel</c> is true, in [0, 1]. It can be changed later: see
        /// <see cref="BinaryNetworkTransformer.DecisionThreshold"/>. Default 0.5.
        /// </summary>
        public double DecisionThreshold { get; set; } = 0.5;

        internal override ClassWeights? ClassWeighting => ClassWeights;

        internal override double? Threshold => DecisionThreshold;

        internal override void Check()
        {
            base.Check();
            ArgumentNullException.ThrowIfNull(ClassWeights);
        }
    }
}

/// <summary>Trains a convolutional network for multiclass classification.</summary>
/// <remarks>
/// <para>
/// Features are images: an <c>MLImage</c> column of known size (LoadImages and ResizeImages), or a <c>Vector&lt;Single&gt;</c> whose
/// dimensions are channels, height and width (set by ExtractPixels, or by <see cref="ImageOptions.ImageShape"/>). The label is a key. The
/// transformer adds <c>Score</c> (the softmax, with the classes as slot names) and <c>PredictedLabel</c> (a key with the label's values).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Multiclass classification</description></item>
/// <item><term>Is normalization required?</term><description>Recommended: pixels with values around 1, see
/// <see cref="ImageOptions.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes, for vectors of pixels</description></item>
/// </list>
/// <para>
/// Convolutions detect the same small patterns everywhere in an image (LeCun, Bottou, Bengio and Haffner, 1998; Krizhevsky, Sutskever and
/// Hinton, 2012). Training minimizes the cross entropy of the softmax by backpropagation over shuffled mini-batches. The same seed, data,
/// computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class CnnMulticlassTrainer : NetworkTrainer<MulticlassNetworkTransformer>
{
    internal CnnMulticlassTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(CnnMulticlassTrainer), options, new MulticlassTask())
    {
    }

    /// <summary>The options of <see cref="CnnMulticlassTrainer"/>.</summary>
    public sealed class Options : CnnOptions
    {
        /// <summary>
        /// The weights of the classes in the loss. Default <see cref="MLExtensions.ClassWeights.None"/>: all examples have the same weight.
        /// </summary>
        public ClassWeights ClassWeights { get; set; } = ClassWeights.None;

        internal override ClassWeights? ClassWeighting => ClassWeights;

        internal override void Check()
        {
            base.Check();
            ArgumentNullException.ThrowIfNull(ClassWeights);
        }
    }
}

/// <summary>Trains a convolutional network for regression.</summary>
/// <remarks>
/// <para>
/// Features are images: an <c>MLImage</c> column of known size (LoadImages and ResizeImages), or a <c>Vector&lt;Single&gt;</c> whose
/// dimensions are channels, height and width (set by ExtractPixels, or by <see cref="ImageOptions.ImageShape"/>). The label is
/// <c>Single</c>; it is standardized internally. The transformer adds <c>Score</c>, in the unit of the label.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Regression</description></item>
/// <item><term>Is normalization required?</term><description>Recommended: pixels with values around 1, see
/// <see cref="ImageOptions.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes, for vectors of pixels</description></item>
/// </list>
/// <para>
/// Convolutions detect the same small patterns everywhere in an image (LeCun, Bottou, Bengio and Haffner, 1998; Krizhevsky, Sutskever and
/// Hinton, 2012). Training minimizes the squared error of the standardized label by backpropagation over shuffled mini-batches. The same
/// seed, data, computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class CnnRegressionTrainer : NetworkTrainer<RegressionNetworkTransformer>
{
    internal CnnRegressionTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(CnnRegressionTrainer), options, new RegressionTask())
    {
    }

    /// <summary>The options of <see cref="CnnRegressionTrainer"/>.</summary>
    public sealed class Options : CnnOptions
    {
    }
}

/// <summary>Options shared by the convolutional network trainers.</summary>
public abstract class CnnOptions : ImageOptions
{
    private protected CnnOptions()
    {
    }

    /// <summary>
    /// The layers, from the image to the outputs; <see cref="CnnLayers"/> has well-known networks. The task determines the number of
    /// outputs of a <see cref="DenseLayer"/> or <see cref="ConvolutionLayer"/> without one. Default <see cref="CnnLayers.Default"/>.
    /// </summary>
    public IReadOnlyList<ImageLayer> Layers { get; set; } = CnnLayers.Default();

    internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) => [(nameof(Layers), CnnTrunk.Describe(Layers, (ImageArchitecture)architecture))];

    internal override TrainingOptions Snapshot()
    {
        var copy = (CnnOptions)base.Snapshot();
        copy.Layers = Layers.ToArray();
        return copy;
    }

    internal override void Check()
    {
        base.Check();
        CnnTrunk.Check(Layers, nameof(Layers));
    }

    private protected override ImageArchitecture CreateArchitecture(ImageInput input, int outputCount) => new CnnTrunk(Layers).CreateArchitecture(input, outputCount);
}
