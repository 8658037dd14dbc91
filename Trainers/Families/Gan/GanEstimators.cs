using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Engine;
using MLExtensions.Families.Gan;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Base class of the estimators of generative adversarial networks (GANs).</summary>
public abstract class AdversarialEstimator : NetworkEstimator<GanTransformer>
{
    private readonly GanOptions _options;

    private protected AdversarialEstimator(IHostEnvironment env, string name, GanOptions options)
        : base(env, name, options) => _options = (GanOptions)Settings;

    private protected override void CheckSchema(SchemaShape schema)
    {
        var features = Find(schema, _options.FeatureColumnName);
        if (features.ItemType is not ImageDataViewType)
            FeatureRows.Check(schema, _options.FeatureColumnName);
        if (_options.LabelColumnName is not { } name)
            return;
        var label = Find(schema, name);
        if (!label.IsKey || label.Kind != SchemaShape.Column.VectorKind.Scalar)
            throw new ArgumentException(FormattableString.Invariant($"Label column '{name}' has type {label.GetTypeString()}; it must be a key. Add MapValueToKey."), nameof(schema));
    }

    private protected override IEnumerable<SchemaShape.Column> AddedColumns() =>
        [(_options.OutputImages ? OutputColumn.Image(_options.OutputColumnName, 1, 1, 1) : OutputColumn.Vector(_options.OutputColumnName, 1)).Shape];

    private protected override GanTransformer Train(IDataView input, IDataView? validation)
    {
        var design = GanDesign.Of(_options, input);
        var columns = new LatentColumns(_options.NoiseColumnName, _options.SeedColumnName, _options.LabelColumnName);
        // The data to train on needs no noise and no seeds; where it has some, the generator must be able to read them.
        var present = new LatentColumns(Present(_options.NoiseColumnName), Present(_options.SeedColumnName), Label: null);
        new LatentFormat(design.Generator, present, Seed, null).Check(input.Schema);
        var networks = new GanTraining(Host, _options, Seed, design).RunAll(input, validation);
        return new GanTransformer(Host, networks[0], networks[1], new GanColumns(_options.OutputColumnName, columns, Seed, _options.OutputImages, design.ClassNames));

        string? Present(string? name) => name != null && input.Schema.GetColumnOrNull(name) != null ? name : null;
    }

    private static SchemaShape.Column Find(SchemaShape schema, string name) =>
        schema.TryFindColumn(name, out var column) ? column : throw FeatureRows.Missing(name, schema.Select(other => other.Name));
}

/// <summary>
/// Trains a generative adversarial network (GAN) of dense layers: a generator that makes new samples from noise, and a discriminator that
/// learns to tell them from the real ones.
/// </summary>
/// <remarks>
/// <para>
/// Samples are a <c>Vector&lt;Single&gt;</c> of known size, of any numbers, preferably with mean 0 and variance 1; images work, too. The
/// transformer adds a generated sample of the same size to each row of any data.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Generative modeling; the label, a key, is optional</description></item>
/// <item><term>Is normalization required?</term><description>Yes: mean 0 and variance 1, or the range of
/// <see cref="GanOptions.ValueRange"/> if the generator has one</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes, the generator, if a column holds the noise</description></item>
/// </list>
/// <para>
/// Goodfellow et al., "Generative Adversarial Nets", 2014. Each step trains the discriminator on as many real as generated samples, and then
/// the generator on what the discriminator says of the same generated samples. The history has the loss of the discriminator (<c>loss</c>),
/// <c>generatorLoss</c>, the shares of real and generated samples that were told correctly (<c>realRecognized</c>,
/// <c>generatedRecognized</c>) and the mean distance between generated samples, that of real samples being 1 (<c>spread</c>). With cross
/// entropy the losses of a balance are 1.386 (2 log 2) and 0.693 (log 2); losses say little about the quality of samples, so look at the
/// samples and use <c>mlContext.GenerativeModels</c> to evaluate them. The same seed, data, computer and number of threads give the same
/// weights.
/// </para>
/// </remarks>
public sealed class GanEstimator : AdversarialEstimator
{
    internal GanEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(GanEstimator), options)
    {
    }

    /// <summary>The options of <see cref="GanEstimator"/>.</summary>
    public sealed class Options : GanOptions
    {
        internal const int DefaultGanEpochs = 50;
        internal const double DefaultGanLearningRate = 3e-4;

        /// <summary>
        /// Creates options with their defaults: learning rate 3e-4, 50 epochs, 64 rows per step, Adam with beta1 0.5, and random biases
        /// (<see cref="WeightInitialization.FanInUniform"/>): of few numbers, a discriminator without them does not see which kinds of
        /// samples are missing.
        /// </summary>
        public Options()
        {
            (Epochs, LearningRate) = (DefaultGanEpochs, DefaultGanLearningRate);
            Initialization = WeightInitialization.FanInUniform;
        }

        internal override GanNetworks CreateNetworks(ImageShape? image, bool conditional) => GanPresets.Dense();
    }
}

/// <summary>
/// Trains a deep convolutional generative adversarial network (DCGAN) on images: a generator that makes new images from noise, and a
/// discriminator that learns to tell them from the real ones.
/// </summary>
/// <remarks>
/// <para>
/// Images are an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> with the values channel after channel; 28, 32 or 64
/// pixels and 1 or 3 channels with the default networks. The transformer adds a generated image to each row of any data.
/// </para>
/// <inheritdoc cref="GanEstimator" path="/remarks/list"/>
/// <para>
/// Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks", 2016. The
/// defaults are what proved itself: hinge loss and spectral normalization in the discriminator, labels by projection, a learning rate that
/// falls to 0 over the second half, and the moving average of the generator. The history is as in <see cref="GanEstimator"/>.
/// </para>
/// </remarks>
public sealed class DcganEstimator : AdversarialEstimator
{
    internal DcganEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(DcganEstimator), options)
    {
    }

    /// <summary>The options of <see cref="DcganEstimator"/>.</summary>
    public sealed class Options : GanOptions
    {
        internal const int DefaultDcganEpochs = 10;
        internal const int DefaultDcganBatchSize = 32;
        internal const double DefaultDcganLearningRate = 5e-4;

        // A horizon of 200 steps.
        private const double DefaultAverage = 0.995;

        /// <summary>
        /// Creates options with their defaults: learning rate 5e-4, 10 epochs, 32 images per step, hinge loss, and a moving average of the
        /// generator with decay 0.995.
        /// </summary>
        public Options()
        {
            (Epochs, BatchSize, LearningRate) = (DefaultDcganEpochs, DefaultDcganBatchSize, DefaultDcganLearningRate);
            (Loss, EmaDecay) = (AdversarialLoss.Hinge, DefaultAverage);
        }

        internal override GanNetworks CreateNetworks(ImageShape? image, bool conditional) => image switch
        {
            null => throw new ArgumentException(FormattableString.Invariant($"Column '{FeatureColumnName}' does not say how large the images are; set {nameof(ImageShape)}."), nameof(ImageShape)),
            { Channels: 1 or 3, Height: 28 or 32 or 64 } when image.Height == image.Width => GanPresets.Convolutional(image.Channels, image.Height, conditional: conditional),
            _ => throw new ArgumentException(FormattableString.Invariant($"Column '{FeatureColumnName}' has images of {image}; the default networks make 28 x 28, 32 x 32 or 64 x 64 pixels with 1 or 3 channels. Resize the images, or set {nameof(Networks)}."), nameof(Networks)),
        };
    }
}
