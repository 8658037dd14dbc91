using System.Globalization;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Images;
using MLExtensions.Supervised;

namespace MLExtensions;

/// <summary>Trains a residual network for binary classification.</summary>
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
/// Each block adds its output to its input, so that very deep networks can be trained (He, Zhang, Ren and Sun, 2016). Training minimizes
/// the cross entropy of the sigmoid by backpropagation over shuffled mini-batches. The same seed, data, computer and number of threads
/// give the same weights.
/// </para>
/// </remarks>
public sealed class ResNetBinaryTrainer : NetworkTrainer<BinaryNetworkTransformer>
{
    internal ResNetBinaryTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(ResNetBinaryTrainer), options, new BinaryTask())
    {
    }

    /// <summary>The options of <see cref="ResNetBinaryTrainer"/>.</summary>
    public sealed class Options : ResNetOptions
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

/// <summary>Trains a residual network for multiclass classification.</summary>
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
/// Each block adds its output to its input, so that very deep networks can be trained (He, Zhang, Ren and Sun, 2016). Training minimizes
/// the cross entropy of the softmax by backpropagation over shuffled mini-batches. The same seed, data, computer and number of threads
/// give the same weights.
/// </para>
/// </remarks>
public sealed class ResNetMulticlassTrainer : NetworkTrainer<MulticlassNetworkTransformer>
{
    internal ResNetMulticlassTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(ResNetMulticlassTrainer), options, new MulticlassTask())
    {
    }

    /// <summary>The options of <see cref="ResNetMulticlassTrainer"/>.</summary>
    public sealed class Options : ResNetOptions
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

/// <summary>Trains a residual network for regression.</summary>
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
/// Each block adds its output to its input, so that very deep networks can be trained (He, Zhang, Ren and Sun, 2016). Training minimizes
/// the squared error of the standardized label by backpropagation over shuffled mini-batches. The same seed, data, computer and number of
/// threads give the same weights.
/// </para>
/// </remarks>
public sealed class ResNetRegressionTrainer : NetworkTrainer<RegressionNetworkTransformer>
{
    internal ResNetRegressionTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(ResNetRegressionTrainer), options, new RegressionTask())
    {
    }

    /// <summary>The options of <see cref="ResNetRegressionTrainer"/>.</summary>
    public sealed class Options : ResNetOptions
    {
    }
}

/// <summary>Options shared by the residual network trainers.</summary>
public abstract class ResNetOptions : ImageOptions
{
    private protected ResNetOptions()
    {
    }

    /// <summary>The form of the network: CIFAR for small images, ImageNet for large ones. Default <see cref="ResNetForm.Cifar"/>.</summary>
    public ResNetForm Form { get; set; }

    /// <summary>
    /// The number of layers with weights: 6n + 2 in the CIFAR form; 18, 34, 50, 101 or 152 in the ImageNet form. Default 20.
    /// </summary>
    public int Depth { get; set; } = 20;

    /// <summary>
    /// The number of channels of the first stage; it doubles with each further stage. Default null: 16 in the CIFAR form, 64 in the
    /// ImageNet form.
    /// </summary>
    public int? BaseChannels { get; set; }

    /// <summary>
    /// The kind of shortcut at shape changes. Default null: padding (option A) in the CIFAR form, projection (option B)
    /// in the ImageNet form.
    /// </summary>
    public ShortcutKind? Shortcut { get; set; }

    /// <summary>Whether there are shortcuts; false trains the plain network of the same depth. Default true.</summary>
    public bool Shortcuts { get; set; } = true;

    internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) => [(nameof(BaseChannels), BaseChannels?.ToString(CultureInfo.InvariantCulture) ?? "null"), (nameof(Depth), FormattableString.Invariant($"{Depth}"))];

    internal override void Check()
    {
        base.Check();
        Trunk.Check("");
    }

    private ResNetTrunk Trunk => new(Depth, Form, BaseChannels, Shortcut, Shortcuts);

    private protected override ImageArchitecture CreateArchitecture(ImageInput input, int outputCount) => Trunk.CreateArchitecture(input, outputCount);
}
