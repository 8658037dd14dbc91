using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Families.Gan;
using MLExtensions.Tensors;

namespace MLExtensions;

/// <summary>
/// Fills the missing pixels of images with a trained GAN: it searches noise whose generated image agrees with the known pixels. Yeh et al.,
/// "Semantic Image Inpainting with Deep Generative Models", 2017.
/// </summary>
/// <remarks>
/// <para>
/// The search descends, from several starts and for each class of a conditional generator, the differences of the known pixels, those near
/// the hole weighing more, plus the length of the noise and, if asked for, the discriminator's judgment. Nothing else but the noise changes.
/// It needs held-out images of the kind that the GAN was trained on, and it is slow: each row takes <see cref="Options.Steps"/> passes
/// forwards and backwards of all candidates.
/// </para>
/// <para>
/// A row's result depends only on the row, the seed and the options: other rows do not matter. <see cref="Fit"/> reads only the schema.
/// </para>
/// </remarks>
public sealed class InpaintingEstimator : IEstimator<InpaintingTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;
    private readonly GanTransformer _model;

    internal InpaintingEstimator(IHostEnvironment env, GanTransformer model, Options options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        _host = env.Register(nameof(InpaintingEstimator));
        _options = options.Copy();
        _model = model;
        _options.Check(model.Architecture);
    }

    /// <summary>The options of <see cref="InpaintingEstimator"/>.</summary>
    public sealed class Options
    {
        internal const int DefaultSteps = 120;
        internal const int DefaultRestartsPerClass = 4;
        internal const int DefaultRestarts = 16;

        /// <summary>The column to add: the images without holes, of the type of <see cref="ImageColumnName"/>. Default <c>Inpainted</c>.</summary>
        public string OutputColumnName { get; set; } = "Inpainted";

        /// <summary>
        /// The column of the images, as in the training of the GAN: a <c>Vector&lt;Single&gt;</c>, channel after channel, or <c>MLImage</c>.
        /// Missing pixels may have any finite value; it is not used. Default <c>Features</c>.
        /// </summary>
        public string ImageColumnName { get; set; } = "Features";

        /// <summary>
        /// The column of the masks, a <c>Vector&lt;Single&gt;</c> or <c>Vector&lt;Boolean&gt;</c> with a value per pixel, row by row: 1 or
        /// true where the pixel is missing, in all channels. Default null: the mask is made, see <see cref="MaskShape"/>.
        /// </summary>
        public string? MaskColumnName { get; set; }

        /// <summary>Which pixels are missing if there is no <see cref="MaskColumnName"/>, the same in all rows. Default null.</summary>
        public InpaintingMaskShape? MaskShape { get; set; }

        /// <summary>The side of the square hole of <see cref="InpaintingMaskShape.Center"/>, in pixels. Default null: half of each side of the image.</summary>
        public int? HoleSide { get; set; }

        /// <summary>The share of missing pixels of <see cref="InpaintingMaskShape.Random"/>, above 0 and below 1. Default 0.8.</summary>
        public double MissingShare { get; set; } = 0.8;

        /// <summary>
        /// The column of the class of each image, a key, if the generator is conditional. Default null: all classes are tried. It must be
        /// null if the generator is not conditional.
        /// </summary>
        public string? LabelColumnName { get; set; }

        /// <summary>The column to add for the noise of the best candidate, a <c>Vector&lt;Single&gt;</c> of the latent size. Default null: none.</summary>
        /// <remarks>It is a feature of the image (inversion), and a GAN with this <c>NoiseColumnName</c> generates the best candidate from it.</remarks>
        public string? LatentColumnName { get; set; }

        /// <summary>The column to add for the loss of the best candidate, a <c>Single</c>. Default null: none.</summary>
        public string? LossColumnName { get; set; }

        /// <summary>The column to add for the class of the best candidate of a conditional generator, a key. Default null: none.</summary>
        public string? ClassColumnName { get; set; }

        /// <summary>
        /// The column to add for the mask that was used, a <c>Vector&lt;Single&gt;</c> with a value per pixel, 1 where it is missing. Default null: none.
        /// </summary>
        public string? UsedMaskColumnName { get; set; }

        /// <summary>The number of steps of the search, from 1 to 100,000. Default 120.</summary>
        public int Steps { get; set; } = DefaultSteps;

        /// <summary>
        /// The number of starts per row, and per class where all classes are tried, from 1 to 10,000. Default null: 4 where classes are
        /// tried, otherwise 16.
        /// </summary>
        public int? Restarts { get; set; }

        /// <summary>The learning rate of the first step (Adam); it falls to a tenth. Default 0.1.</summary>
        public double LearningRate { get; set; } = 0.1;

        /// <summary>
        /// The factor of the squared length of the noise in the loss, at least 0. Uniform noise is kept in its range and has no such loss.
        /// Default 0.003.
        /// </summary>
        public double PriorWeight { get; set; } = 0.003;

        /// <summary>
        /// The factor in the loss of how surely the discriminator takes the image for generated, softplus(-logit), at least 0. Default 0: the
        /// length of the noise is enough, and the discriminator takes time.
        /// </summary>
        public double DiscriminatorWeight { get; set; }

        /// <summary>
        /// The weight of each known pixel beside the share of missing pixels in the 7 x 7 pixels around it, at least 0. Default 0.1: what is
        /// far from the hole says something too.
        /// </summary>
        public double DistantWeight { get; set; } = 0.1;

        /// <summary>What the hole is filled with. Default <see cref="InpaintingFill.WeightedMean"/>.</summary>
        public InpaintingFill Fill { get; set; } = InpaintingFill.WeightedMean;

        /// <summary>
        /// The difference of losses at which a candidate has 1/e of the weight in <see cref="InpaintingFill.WeightedMean"/>, above 0. Default
        /// 0.5, for the loss of images from -1 to 1.
        /// </summary>
        public double Temperature { get; set; } = 0.5;

        /// <summary>
        /// Whether the fill is moved to meet the known pixels at the border of the hole, and only its gradients are kept (Pérez et al., "Poisson
        /// Image Editing", 2003). Default false.
        /// </summary>
        public bool PoissonBlend { get; set; }

        /// <summary>The seed of the starts and of <see cref="InpaintingMaskShape.Random"/>. Default 0.</summary>
        public int Seed { get; set; }

        internal Options Copy() => (Options)MemberwiseClone();

        internal void Check(GeneratorArchitecture generator)
        {
            if (generator.Image == null)
                throw new ArgumentException(FormattableString.Invariant($"model generates {generator.OutputCount} values that are no images; train the GAN with ImageShape, or on a column with dimensions or images."), "model");
            CheckNames();
            if ((MaskColumnName == null) == (MaskShape == null))
                throw new ArgumentException(FormattableString.Invariant($"{nameof(MaskColumnName)} is {MaskColumnName ?? "null"} and {nameof(MaskShape)} {MaskShape?.ToString() ?? "null"}; one of them must be set, and only one."), nameof(MaskColumnName));
            if (MaskShape is { } shape && !Enum.IsDefined(shape))
                throw new ArgumentOutOfRangeException(nameof(MaskShape), shape, FormattableString.Invariant($"{nameof(MaskShape)} is {shape}, which is not a shape."));
            if (!Enum.IsDefined(Fill))
                throw new ArgumentOutOfRangeException(nameof(Fill), Fill, FormattableString.Invariant($"{nameof(Fill)} is {Fill}, which is not a fill."));
            if (generator.ClassCount == 0 && (LabelColumnName ?? ClassColumnName) is { } column)
                throw new ArgumentException(FormattableString.Invariant($"{(LabelColumnName != null ? nameof(LabelColumnName) : nameof(ClassColumnName))} is '{column}', but the generator has no classes: it was trained without a label column."), LabelColumnName != null ? nameof(LabelColumnName) : nameof(ClassColumnName));
            CheckInteger(Steps, nameof(Steps), 1, 100_000);
            CheckInteger(Restarts ?? 1, nameof(Restarts), 1, 10_000);
            CheckNumber(LearningRate, nameof(LearningRate), double.Epsilon);
            CheckNumber(Temperature, nameof(Temperature), double.Epsilon);
            CheckNumber(PriorWeight, nameof(PriorWeight), 0);
            CheckNumber(DiscriminatorWeight, nameof(DiscriminatorWeight), 0);
            CheckNumber(DistantWeight, nameof(DistantWeight), 0);
            if (!(MissingShare is > 0 and < 1))
                throw new ArgumentOutOfRangeException(nameof(MissingShare), MissingShare, string.Create(CultureInfo.InvariantCulture, $"{nameof(MissingShare)} is {MissingShare}; it must be above 0 and below 1."));
            if (HoleSide is { } side && (side < 1 || side > Math.Min(generator.Image.Height, generator.Image.Width)))
                throw new ArgumentOutOfRangeException(nameof(HoleSide), side, string.Create(CultureInfo.InvariantCulture, $"{nameof(HoleSide)} is {side}; it must be from 1 to {Math.Min(generator.Image.Height, generator.Image.Width)}, the shorter side of the image, in pixels."));
            if (MadeMask(generator.Image) is { } mask && mask.NumberOfMissing == mask.Height * mask.Width)
                throw new ArgumentException(FormattableString.Invariant($"{nameof(MaskShape)} {MaskShape} of images of {generator.Image} leaves no known pixel; make the hole smaller."), nameof(MaskShape));
        }

        /// <summary>The mask of all rows; null if there is a column.</summary>
        internal InpaintingMask? MadeMask(ImageShape image) => MaskShape switch
        {
            null => null,
            InpaintingMaskShape.Center => InpaintingMask.Center(image.Height, image.Width, HoleSide),
            InpaintingMaskShape.RightHalf => InpaintingMask.RightHalf(image.Height, image.Width),
            InpaintingMaskShape.Random => InpaintingMask.Random(image.Height, image.Width, MissingShare, Seed),
            _ => InpaintingMask.Random(image.Height, image.Width, 0, Seed),
        };

        internal void CheckNames()
        {
            var added = new List<(string? Value, string Name)>
            {
                (OutputColumnName, nameof(OutputColumnName)), (LatentColumnName, nameof(LatentColumnName)), (LossColumnName, nameof(LossColumnName)),
                (ClassColumnName, nameof(ClassColumnName)), (UsedMaskColumnName, nameof(UsedMaskColumnName)),
            };
            var read = new List<(string? Value, string Name)> { (ImageColumnName, nameof(ImageColumnName)), (MaskColumnName, nameof(MaskColumnName)), (LabelColumnName, nameof(LabelColumnName)) };
            foreach (var (value, name) in added.Concat(read).Where(option => option.Value != null || option.Name is nameof(OutputColumnName) or nameof(ImageColumnName)))
            {
                if (string.IsNullOrWhiteSpace(value))
                    throw new ArgumentException(FormattableString.Invariant($"{name} is empty; it must be a name."), name);
            }
            foreach (var (value, name) in added.Skip(1).SkipLast(1))
                Messages.ColumnNames.RequireOther(value, name, [.. read]);
            foreach (var same in added.Where(option => option.Value != null).GroupBy(option => option.Value).Where(group => group.Count() > 1))
                throw new ArgumentException(FormattableString.Invariant($"{string.Join(" and ", same.Select(option => option.Name))} are '{same.Key}'; added columns must have different names."), same.Last().Name);
        }

        private static void CheckInteger(int value, string name, int least, int most)
        {
            if (value < least || value > most)
                throw new ArgumentOutOfRangeException(name, value, string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it must be from {least} to {most}."));
        }

        private static void CheckNumber(double value, string name, double least)
        {
            if (!(value >= least && double.IsFinite(value)))
                throw new ArgumentOutOfRangeException(name, value, string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it must be finite and {(least == 0 ? "at least" : "above")} 0."));
        }
    }

    /// <summary>Creates the transformer. It uses the networks of the GAN, which must not be disposed before.</summary>
    /// <param name="input">Data with the images; its rows are not read.</param>
    /// <exception cref="ArgumentException">A column is missing, or of another type or size.</exception>
    public InpaintingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var settings = new InpaintingSettings(_options, FeatureRows.Find(input.Schema, _options.ImageColumnName).Type is ImageDataViewType, _model.ClassNames);
        var transformer = new InpaintingTransformer(_host, _model.Generator, _model.Discriminator, settings, owned: false);
        transformer.GetOutputSchema(input.Schema);
        return transformer;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (var name in new[] { _options.ImageColumnName, _options.MaskColumnName, _options.LabelColumnName }.OfType<string>())
        {
            if (!inputSchema.TryFindColumn(name, out _))
                throw FeatureRows.Missing(name, inputSchema.Select(other => other.Name));
        }
        inputSchema.TryFindColumn(_options.ImageColumnName, out var image);
        if (image.ItemType is not ImageDataViewType)
            FeatureRows.Check(inputSchema, _options.ImageColumnName);
        var columns = inputSchema.ToDictionary(other => other.Name);
        foreach (var output in InpaintingOutputs.Of(new InpaintingSettings(_options, image.ItemType is ImageDataViewType, _model.ClassNames), _model.Architecture))
            columns[output.Column.Name] = output.Column.Shape;
        return new SchemaShape(columns.Values);
    }
}

/// <summary>A mask that is made.</summary>
public enum InpaintingMaskShape
{
    /// <summary>A hole in the middle.</summary>
    Center,

    /// <summary>The right half is missing; the column in the middle of an odd width too.</summary>
    RightHalf,

    /// <summary>Pixels at random places are missing, the same in all rows.</summary>
    Random,

    /// <summary>Nothing is missing: the image comes back, and only its noise is searched (inversion).</summary>
    None,
}

/// <summary>What a hole is filled with.</summary>
public enum InpaintingFill
{
    /// <summary>
    /// The mean of all candidates, weighted by exp(-loss / temperature): nearest to the truth in the mean, and blurred where several fills
    /// are plausible.
    /// </summary>
    WeightedMean,

    /// <summary>The candidate of the smallest loss: a sharp image, which may be a wrong one.</summary>
    Best,
}
