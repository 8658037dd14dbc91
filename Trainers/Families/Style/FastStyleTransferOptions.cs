using Microsoft.ML.Data;
using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

public sealed partial class FastStyleTransferEstimator
{
    /// <summary>The options of <see cref="FastStyleTransferEstimator"/>.</summary>
    public sealed class Options : RowTrainingOptions
    {
        internal const int DefaultFastEpochs = 50;
        internal const double DefaultStyleWeight = 10;

        // Pictures are large: as many of 128 x 128 pixels take 100 MB.
        private const int DefaultShuffleRows = 500;
        private const int DefaultPictures = 4;
        private const double DefaultClip = 5;

        /// <summary>
        /// Creates options with their defaults: 50 epochs, 4 pictures per step, a learning rate of 0.001 that falls to a hundredth over the second
        /// half of the steps, gradients clipped at 5, weights and biases drawn by <see cref="WeightInitialization.FanInUniform"/>, a shuffle
        /// buffer of 500 pictures for streamed data.
        /// </summary>
        public Options()
        {
            (Epochs, BatchSize) = (DefaultFastEpochs, DefaultPictures);
            LearningRateSchedule = LearningRateSchedule.Linear(holdFraction: 0.5, minimumFactor: 0.01);
            (GradientClipNorm, Initialization, ShuffleBufferRows) = (DefaultClip, WeightInitialization.FanInUniform, DefaultShuffleRows);
        }

        /// <summary>The column to add, pictures of the size and type of the input. Default <c>Styled</c>.</summary>
        [DoesNotChangeResult]
        public string OutputColumnName { get; set; } = "Styled";

        /// <summary>
        /// The column of the content pictures. In the training, images (<c>MLImage</c>) of known size (ResizeImages), or a
        /// <c>Vector&lt;Single&gt;</c> with values from 0 to 255, channel after channel; the transformer takes images of any size. Default
        /// <c>Image</c>.
        /// </summary>
        [DoesNotChangeResult]
        public string InputColumnName { get; set; } = "Image";

        /// <summary>
        /// The column that tells the transformer which style a row is to have: a key whose values are names of styles, or a
        /// <c>Vector&lt;Single&gt;</c> with a share of each style, of which only the proportions matter. Training does not read it. Default
        /// null: the first style.
        /// </summary>
        [DoesNotChangeResult]
        public string? StyleColumnName { get; set; }

        /// <summary>The size of the pictures, if a vector column does not say it. Default null.</summary>
        public ImageShape? ImageShape { get; set; }

        /// <summary>
        /// Side length in pixels of the squares that training cuts out of the pictures, each time at another place; validation takes the
        /// center. Default null: whole pictures.
        /// </summary>
        public int? CropSize { get; set; }

        /// <summary>Whether training mirrors every other picture, at random. Default true.</summary>
        public bool MirrorPictures { get; set; } = true;

        /// <summary>The channels of the first convolution, from 1 to 16,384; later ones have two and four times as many. Default 32.</summary>
        public int Width { get; set; } = 32;

        /// <summary>The number of residual blocks, from 0 to 10,000. Default 5.</summary>
        public int ResidualBlocks { get; set; } = 5;

        /// <summary>
        /// The files of the style pictures, one for each style. Several styles share the convolutions and have their own scales and shifts.
        /// Default: none; they or <see cref="StyleImages"/> are needed.
        /// </summary>
        [DoesNotChangeResult]
        public IReadOnlyList<string> StylePaths { get; set; } = [];

        /// <summary>Style pictures in memory, after those of <see cref="StylePaths"/>. They are not changed. Default: none.</summary>
        [DoesNotChangeResult]
        public IReadOnlyList<MLImage> StyleImages { get; set; } = [];

        /// <summary>
        /// The names of the styles, all different. Default null: the names of the files without folder and extension, and <c>style1</c> and so
        /// on, by their place among all, for <see cref="StyleImages"/>.
        /// </summary>
        [DoesNotChangeResult]
        public IReadOnlyList<string>? StyleNames { get; set; }

        /// <inheritdoc cref="StyleTransferEstimator.Options.StyleScale"/>
        [DoesNotChangeResult]
        public double StyleScale { get; set; } = 1;

        /// <inheritdoc cref="StyleTransferEstimator.Options.WeightsPath"/>
        /// <remarks>It is not saved with the model.</remarks>
        [DoesNotChangeResult]
        public string WeightsPath { get; set; } = "";

        /// <inheritdoc cref="StyleTransferEstimator.Options.Architecture"/>
        [DoesNotChangeResult]
        public ImageArchitecture? Architecture { get; set; }

        /// <inheritdoc cref="StyleTransferEstimator.Options.Pooling"/>
        public LossPooling Pooling { get; set; }

        /// <inheritdoc cref="StyleTransferEstimator.Options.ContentLayers"/>
        public IReadOnlyList<string>? ContentLayers { get; set; }

        /// <inheritdoc cref="StyleTransferEstimator.Options.StyleLayers"/>
        public IReadOnlyList<string>? StyleLayers { get; set; }

        /// <inheritdoc cref="StyleTransferEstimator.Options.StyleLayerWeights"/>
        public IReadOnlyList<double>? StyleLayerWeights { get; set; }

        /// <inheritdoc cref="StyleTransferEstimator.Options.ContentWeight"/>
        public double ContentWeight { get; set; } = 1;

        /// <summary>The factor of the style loss, at least 0. Default 10, for <see cref="StyleLossForm.Relative"/>.</summary>
        public double StyleWeight { get; set; } = DefaultStyleWeight;

        /// <inheritdoc cref="StyleTransferEstimator.Options.TotalVariationWeight"/>
        public double TotalVariationWeight { get; set; } = 1;

        /// <inheritdoc cref="StyleTransferEstimator.Options.LossForm"/>
        public StyleLossForm LossForm { get; set; }

        /// <summary>
        /// The number of pixels by which the loss network sees pictures continued, by reflection, at each border, from 0 to 1,024. Default 0:
        /// unlike an optimized picture, one from a network that reflects borders itself shows no frame.
        /// </summary>
        public int BorderPadding { get; set; }

        /// <summary>The names of the styles.</summary>
        internal IReadOnlyList<string> NamesOfStyles => StyleNames ??
            [.. StylePaths.Select(path => Path.GetFileNameWithoutExtension(path)), .. StyleImages.Select((_, i) => FormattableString.Invariant($"style{StylePaths.Count + i + 1}"))];

        /// <summary>What loss network, losses and style pictures are; the same as in the optimization.</summary>
        internal StyleTransferEstimator.Options Transfer => new()
        {
            OutputColumnName = OutputColumnName,
            InputColumnName = InputColumnName,
            StylePaths = StylePaths,
            StyleImages = StyleImages,
            StyleScale = StyleScale,
            WeightsPath = WeightsPath,
            Architecture = Architecture,
            Pooling = Pooling,
            ContentLayers = ContentLayers,
            StyleLayers = StyleLayers,
            StyleLayerWeights = StyleLayerWeights,
            ContentWeight = ContentWeight,
            StyleWeight = StyleWeight,
            TotalVariationWeight = TotalVariationWeight,
            LossForm = LossForm,
            BorderPadding = BorderPadding,
        };

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
        [
            (nameof(Width), FormattableString.Invariant($"{Width}")),
            (nameof(ResidualBlocks), FormattableString.Invariant($"{ResidualBlocks}")),
            (nameof(CropSize), CropSize is { } size ? FormattableString.Invariant($"{size}") : "null"),
        ];

        internal override TrainingOptions Snapshot()
        {
            var copy = (Options)base.Snapshot();
            (copy.StylePaths, copy.StyleImages, copy.StyleNames) = (StylePaths.ToArray(), StyleImages.ToArray(), StyleNames?.ToArray());
            (copy.ContentLayers, copy.StyleLayers, copy.StyleLayerWeights) = (ContentLayers?.ToArray(), StyleLayers?.ToArray(), StyleLayerWeights?.ToArray());
            return copy;
        }

        internal override void Check()
        {
            OptionCheck.NotNull(StylePaths, nameof(StylePaths));
            OptionCheck.NotNull(StyleImages, nameof(StyleImages));
            Transfer.Check();
            CheckNames();
            if (StyleColumnName != null)
                OptionCheck.NotEmpty(StyleColumnName, nameof(StyleColumnName));
            ColumnNames.RequireOther(StyleColumnName, nameof(StyleColumnName), (InputColumnName, nameof(InputColumnName)), (OutputColumnName, nameof(OutputColumnName)));
            OptionCheck.Count(Width, StyleNetworkArchitecture.MaximumWidth, nameof(Width));
            OptionCheck.Between(ResidualBlocks, 0, StyleNetworkArchitecture.MaximumBlocks, nameof(ResidualBlocks));
            OptionCheck.AtLeast(CropSize ?? StyleNetworkArchitecture.LeastSide, StyleNetworkArchitecture.LeastSide, nameof(CropSize));
            try
            {
                ImageShape?.Check(nameof(ImageShape));
            }
            catch (FormatException e)
            {
                throw new ArgumentException(e.Message, nameof(ImageShape), e);
            }
            base.Check();
        }

        private void CheckNames()
        {
            var (names, styles) = (NamesOfStyles, StylePaths.Count + StyleImages.Count);
            if (names.Count != styles)
                throw new ArgumentException(FormattableString.Invariant($"{nameof(StyleNames)} has {names.Count} names; there are {styles} style pictures."), nameof(StyleNames));
            if (names.Any(string.IsNullOrWhiteSpace))
                throw new ArgumentException($"{nameof(StyleNames)} has an empty name.", nameof(StyleNames));
            if (names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
                throw new ArgumentException($"Two styles have the name '{twice.Key}'; set {nameof(StyleNames)} to a name for each.", nameof(StyleNames));
        }
    }
}
