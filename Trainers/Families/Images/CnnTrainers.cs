using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;
using Microsoft.ML.Runtime;

namespace MLExtensions;

/// <summary>Trains a convolutional network for binary classification.</summary>
/// <remarks>
/// <para>
/// Features are images: an <c>MLImage</c> column of known size (LoadImages and ResizeImages), or a <c>Vector&lt;Single&gt;</c> whose
/// dimensions tell channels, height and width (ExtractPixels) or are told by <see cref="ImageOptions.ImageShape"/>; the label is <c>Boolean</c>. The transformer adds <c>Score</c> (the logit), <c>Probability</c> (its sigmoid) and <c>PredictedLabel</c> (probability of 0.5 or more).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Binary classification</description></item>
/// <item><term>Is normalization required?</term><description>Pixels of about unit size train best: <see cref="ImageOptions.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Convolutions look for the same small patterns everywhere in an image (LeCun, Bottou, Bengio and Haffner, 1998; Krizhevsky, Sutskever and Hinton, 2012); training minimises the cross entropy of the sigmoid by
/// back-propagation over shuffled mini-batches. The same seed, data, machine and number of threads give the same weights.
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
        /// <summary>How much the examples of each class count. Default <see cref="MLExtensions.ClassWeights.None"/>: all the same.</summary>
        public ClassWeights ClassWeights { get; set; } = ClassWeights.None;

        internal override ClassWeights? ClassWeighting => ClassWeights;

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
/// dimensions tell channels, height and width (ExtractPixels) or are told by <see cref="ImageOptions.ImageShape"/>; the label is a key. The transformer adds <c>Score</c> (the softmax, with the classes as slot names) and <c>PredictedLabel</c> (a key with the label's values).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Multiclass classification</description></item>
/// <item><term>Is normalization required?</term><description>Pixels of about unit size train best: <see cref="ImageOptions.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Convolutions look for the same small patterns everywhere in an image (LeCun, Bottou, Bengio and Haffner, 1998; Krizhevsky, Sutskever and Hinton, 2012); training minimises the cross entropy of the softmax by
/// back-propagation over shuffled mini-batches. The same seed, data, machine and number of threads give the same weights.
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
        /// <summary>How much the examples of each class count. Default <see cref="MLExtensions.ClassWeights.None"/>: all the same.</summary>
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
/// dimensions tell channels, height and width (ExtractPixels) or are told by <see cref="ImageOptions.ImageShape"/>; the label is <c>Single</c>; it is standardised inside. The transformer adds <c>Score</c>, on the label's own scale.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Regression</description></item>
/// <item><term>Is normalization required?</term><description>Pixels of about unit size train best: <see cref="ImageOptions.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Convolutions look for the same small patterns everywhere in an image (LeCun, Bottou, Bengio and Haffner, 1998; Krizhevsky, Sutskever and Hinton, 2012); training minimises the squared error of the standardised label by
/// back-propagation over shuffled mini-batches. The same seed, data, machine and number of threads give the same weights.
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

/// <summary>What can be set on a convolutional network, whatever the task.</summary>
public abstract class CnnOptions : ImageOptions
{
    private protected CnnOptions()
    {
    }

    /// <summary>
    /// The layers, from the image to the outputs; <see cref="CnnLayers"/> has well-known networks. A <see cref="DenseLayer"/> or
    /// <see cref="ConvolutionLayer"/> without a number takes the number of outputs from the task. Default <see cref="CnnLayers.Default"/>.
    /// </summary>
    public IReadOnlyList<ImageLayer> Layers { get; set; } = CnnLayers.Default();

    internal override TrainingOptions Snapshot()
    {
        var copy = (CnnOptions)base.Snapshot();
        copy.Layers = Layers.ToArray();
        return copy;
    }

    internal override void Check()
    {
        base.Check();
        OptionCheck.NotNull(Layers, nameof(Layers));
        OptionCheck.Require(Layers.Count > 0, "empty", nameof(Layers), "at least one layer");
        for (var i = 0; i < Layers.Count; i++)
            OptionCheck.NotNull(Layers[i], $"{nameof(Layers)}[{i}]");
    }

    private protected override ImageArchitecture CreateArchitecture(ImageInput input, int outputCount) => new CnnArchitecture
    {
        InputCount = checked((int)input.Shape.Count),
        OutputCount = outputCount,
        Image = input,
        Layers = Layers,
    };
}
