using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions.Families.Gan;

/// <summary>What options and columns make of a GAN: its networks, the range of its data, its classes.</summary>
/// <param name="Generator">The generator.</param>
/// <param name="Discriminator">The discriminator.</param>
/// <param name="ClassNames">The names of the classes, or null.</param>
internal sealed record GanDesign(GeneratorArchitecture Generator, DiscriminatorArchitecture Discriminator, IReadOnlyList<string>? ClassNames)
{
    /// <summary>How real samples are read and checked.</summary>
    public FeatureFormat FormatOf(GanOptions options)
    {
        var values = new DenseFormat(Generator.OutputCount);
        return Generator.Values is { } range
            ? new RangeFormat(values, FormattableString.Invariant($"real samples of this generator ({nameof(options.ValueRange)})")) { Range = range, Advice = value => AdviceFor(value, range, options) }
            : values;
    }

    /// <exception cref="ArgumentException">Columns or layers do not fit; the message names the column or option.</exception>
    public static GanDesign Of(GanOptions options, IDataView input)
    {
        var column = FeatureRows.Find(input.Schema, options.FeatureColumnName);
        var image = ImageOf(options, column);
        var size = checked((int)(image?.Count ?? FeatureReader.WidthOf(column)));
        var label = options.LabelColumnName == null ? (DataViewSchema.Column?)null : FeatureRows.Find(input.Schema, options.LabelColumnName);
        var classes = label is { Type: KeyDataViewType key } ? ClassCount(key, label.Value.Name) : 0;
        var networks = options.Networks ?? options.CreateNetworks(image, classes > 0);
        if (networks.LatentSize < 1)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.Networks)}: {nameof(networks.LatentSize)} is {networks.LatentSize}; it must be at least 1."), nameof(options.Networks));
        if (classes == 0 && (networks.ProjectsLabel || networks.GeneratorLabel.Count + networks.DiscriminatorLabel.Count > 0))
            throw new ArgumentException($"{nameof(options.Networks)} have a place for the label, but {nameof(options.LabelColumnName)} is not set: name the column, or take networks without {nameof(networks.GeneratorLabel)}, {nameof(networks.DiscriminatorLabel)} and {nameof(networks.ProjectsLabel)}.", nameof(options.LabelColumnName));
        if (classes > 0 && networks.ProjectsLabel && options.PackSize > 1)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.PackSize)} is {options.PackSize}; it must be 1 where the label takes part by projection, as in the default networks of {nameof(DcganEstimator)}, because a pack has several labels. Or set {nameof(options.Networks)} with {nameof(networks.ProjectsLabel)} = false: then labels join the samples."), nameof(options.PackSize));
        var generator = new GeneratorArchitecture
        {
            InputCount = checked(networks.LatentSize + classes),
            OutputCount = size,
            LatentSize = networks.LatentSize,
            LatentDistribution = networks.LatentDistribution,
            ClassCount = classes,
            LatentLayers = networks.GeneratorLatent,
            LabelLayers = classes == 0 ? [] : networks.GeneratorLabel,
            Layers = networks.Generator,
            Image = image,
            Values = null,
        };
        generator = generator with { Values = generator.OutputRange == null ? null : options.ValueRange ?? (column.Type is ImageDataViewType ? ValueRange.Pixels : ValueRange.Unit) };
        var discriminator = new DiscriminatorArchitecture
        {
            InputCount = checked(options.PackSize * (size + classes)),
            OutputCount = 1,
            ClassCount = classes,
            PackSize = options.PackSize,
            SampleLayers = networks.DiscriminatorSample,
            LabelLayers = classes == 0 ? [] : networks.DiscriminatorLabel,
            Layers = networks.Discriminator,
            ProjectsLabel = networks.ProjectsLabel && classes > 0,
            Image = image,
        };
        Check(generator, "generator", column);
        Check(discriminator, "discriminator", column);
        CheckLogits(discriminator);
        CheckOptions(options, generator, discriminator);
        return new GanDesign(generator, discriminator, label is { } keys ? KeyNames.Of(keys) : null);
    }

    private static ImageShape? ImageOf(GanOptions options, DataViewSchema.Column column)
    {
        if (column.Type is VectorDataViewType { Dimensions.Length: < 2 } or NumberDataViewType && options.ImageShape == null)
            return null;
        var shape = ImageShape.Of(column, options.ImageShape);
        if (shape.Layout != PixelLayout.Planar)
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has images whose values lie pixel after pixel ({column.Type}); a GAN needs them channel after channel: ExtractPixels without interleavePixelColors."), nameof(options.FeatureColumnName));
        return shape;
    }

    private static int ClassCount(KeyDataViewType key, string column) => key.Count is > 0 and <= 1 << 20
        ? (int)key.Count
        : throw new ArgumentException(FormattableString.Invariant($"Label column '{column}' has type {key}; it must have a known number of at most {1 << 20} keys."), nameof(GanOptions.LabelColumnName));

    private static void Check(NetworkArchitecture architecture, string network, DataViewSchema.Column column)
    {
        try
        {
            architecture.Check();
        }
        catch (FormatException e)
        {
            throw new ArgumentException(FormattableString.Invariant($"{nameof(GanOptions.Networks)}: the {network} for column '{column.Name}' ({column.Type}) is not possible: {e.Message}{(column.Type is VectorDataViewType { Dimensions.Length: < 2 } && e.Message.Contains("needs an image", StringComparison.Ordinal) ? $" The column does not say that it holds images: set {nameof(GanOptions.ImageShape)}." : "")}"), nameof(GanOptions.Networks), e);
        }
    }

    /// <summary>The losses take any number as a logit: one between 0 and 1 would train without ever being sure. Saved networks are not refused for it.</summary>
    private static void CheckLogits(DiscriminatorArchitecture discriminator)
    {
        if (GeneratorArchitecture.LastOf(discriminator.Layers) is ActivationLayer limit && GeneratorArchitecture.RangeOf(limit.Activation) != null)
            throw new ArgumentException($"{nameof(GanOptions.Networks)}: the discriminator ends with {nameof(ActivationLayer)}({nameof(Activation)}.{limit.Activation}), which limits what it returns; all losses take logits, any number. End it with the {nameof(DenseLayer)} before, and leave the activation out.", nameof(GanOptions.Networks));
    }

    private static void CheckOptions(GanOptions options, GeneratorArchitecture generator, DiscriminatorArchitecture discriminator)
    {
        if (options.OutputImages && generator is not { Image.Channels: 1 or 3, Values: not null })
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.OutputImages)} is set, but samples are {(generator.Image == null ? "not images" : generator.Values == null ? "any real numbers: the generator must end with tanh or sigmoid" : FormattableString.Invariant($"images of {generator.Image.Channels} channels"))}; they must be images of 1 or 3 channels in a range."), nameof(options.OutputImages));
        if (options.Augmentation != DifferentiableAugmentation.None && generator.Image == null)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.Augmentation)} is {options.Augmentation}, but samples are not images; set {nameof(options.ImageShape)}, or leave it out."), nameof(options.Augmentation));
        if (options.SamplesFolder != null && !SamplePicture.CanDraw(generator))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.SamplesFolder)} is set, but no picture can be drawn of {(generator.Image == null ? FormattableString.Invariant($"samples of {generator.OutputCount} values: it takes images or pairs of numbers") : generator.Values == null ? "images of any real numbers: the generator must end with tanh or sigmoid" : FormattableString.Invariant($"images of {generator.Image.Channels} channels: it takes 1 or 3"))}. Leave it out."), nameof(options.SamplesFolder));
        if (options.Loss == AdversarialLoss.WassersteinGradientPenalty && discriminator.HasBatchNormalization)
            throw new ArgumentException($"{nameof(options.Loss)} is {options.Loss}, whose penalty is of the gradient of each sample, but the discriminator in {nameof(options.Networks)} has batch normalization, which makes it depend on other samples. Leave the {nameof(BatchNormalizationLayer)} out, as Gulrajani et al. do.", nameof(options.Loss));
        if (options.ValueRange != null && generator.Values == null)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.ValueRange)} is {options.ValueRange}, but the generator's last layer has no limits; end it with ActivationLayer(Activation.Tanh) or Sigmoid, or leave the range out."), nameof(options.ValueRange));
    }

    /// <summary>Scaling is the commonest silent error of this family.</summary>
    private static string AdviceFor(float value, ValueRange range, GanOptions options)
    {
        var fitting = new[] { ValueRange.Unit, new ValueRange(-1, 1), ValueRange.Pixels }.FirstOrDefault(other => other != range && value >= other.Minimum && value <= other.Maximum);
        return (fitting == null ? "" : FormattableString.Invariant($"If the data is in {fitting}, set {nameof(options.ValueRange)} to new({fitting.Minimum}, {fitting.Maximum}). "))
            + FormattableString.Invariant($"Otherwise add NormalizeMinMax before this estimator{(value < 0 ? ", with fixZero: false because values are negative" : "")}.");
    }
}
