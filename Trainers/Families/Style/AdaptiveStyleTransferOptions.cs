using Microsoft.ML.Data;
using MLExtensions.Engine;
using MLExtensions.Families.Style;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

public sealed partial class AdaptiveStyleTransferEstimator
{
    /// <summary>The options of <see cref="AdaptiveStyleTransferEstimator"/>.</summary>
    public sealed class Options : RowTrainingOptions
    {
        internal const string DefaultOutputColumnName = "Styled";
        internal const string DefaultInputColumnName = "Image";
        internal const string DefaultStyleColumnName = "Style";
        internal const int DefaultStyleEpochs = 20;
        internal const double DefaultStyleWeight = 10;
        private const int DefaultStyleBatchSize = 4;

        /// <summary>
        /// Creates options with their defaults: 20 epochs, 4 pictures per step, and a learning rate that falls to a tenth over the second half.
        /// </summary>
        public Options()
        {
            (Epochs, BatchSize) = (DefaultStyleEpochs, DefaultStyleBatchSize);
            LearningRateSchedule = LearningRateSchedule.Linear(holdFraction: 0.5, minimumFactor: 0.1);
        }

        /// <summary>The column to add, an image of the size of the content picture. Default <c>Styled</c>.</summary>
        [DoesNotChangeResult]
        public string OutputColumnName { get; set; } = DefaultOutputColumnName;

        /// <summary>
        /// The column of the content pictures, <c>MLImage</c>: of known and equal size in training, of any size afterwards. Or vectors of values from
        /// 0 to 255, channel after channel; what is painted is a vector then, too. Default <c>Image</c>.
        /// </summary>
        [DoesNotChangeResult]
        public string InputColumnName { get; set; } = DefaultInputColumnName;

        /// <summary>
        /// The column of the style pictures, <c>MLImage</c> of any size, or vectors. Without <see cref="StylePaths"/> and <see cref="StyleImages"/> the training
        /// takes its styles from it, of known and equal size, paired at random with the content pictures of all rows. Default <c>Style</c>.
        /// </summary>
        [DoesNotChangeResult]
        public string StyleColumnName { get; set; } = DefaultStyleColumnName;

        /// <summary>
        /// The size of the pictures in columns of vectors whose dimensions do not say it; the channels must be 3. Default null: the columns say it.
        /// </summary>
        public ImageShape? ImageShape { get; set; }

        /// <summary>
        /// The files of the style pictures of the training, of any size: each row gets one at random, cut at random to the size of the content
        /// picture if it is larger. Default: none.
        /// </summary>
        [DoesNotChangeResult]
        public IReadOnlyList<string> StylePaths { get; set; } = [];

        /// <summary>
        /// Style pictures of the training in memory, after those of <see cref="StylePaths"/>. They are not changed. Default: none.
        /// </summary>
        [DoesNotChangeResult]
        public IReadOnlyList<MLImage> StyleImages { get; set; } = [];

        /// <summary>
        /// The factor on the size of the pictures of <see cref="StylePaths"/> and <see cref="StyleImages"/>, greater than 0. Default 1: they are used
        /// as they are.
        /// </summary>
        [DoesNotChangeResult]
        public double StyleScale { get; set; } = 1;

        /// <summary>
        /// How much of the style there is when the transformer paints, from 0, which gives the content picture back, to 1. Default 1. See
        /// <see cref="AdaptiveStyleTransferTransformer"/>.
        /// </summary>
        [DoesNotChangeResult]
        public double Strength { get; set; } = 1;

        /// <summary>
        /// The column with the strength of each row, a <c>Single</c> from 0 to 1; the training does not need it. Default null:
        /// <see cref="Strength"/> for all rows.
        /// </summary>
        [DoesNotChangeResult]
        public string? StrengthColumnName { get; set; }

        /// <summary>
        /// Whether the transformer keeps the colors of the content pictures and takes only the luminance (ITU-R BT.601) of what it has painted.
        /// Default false.
        /// </summary>
        [DoesNotChangeResult]
        public bool PreserveColors { get; set; }

        /// <summary>
        /// The safetensors file with the weights of the encoder, which is not trained. Without <see cref="Architecture"/> the network is
        /// recognized, as by <see cref="ImageFeaturesEstimator"/>: SqueezeNet 1.0, VGG-16, VGG-19 and others with torchvision's names.
        /// </summary>
        [DoesNotChangeResult]
        public string WeightsPath { get; set; } = "";

        /// <summary>The network whose weights the file has, if it is not a known one. Default null.</summary>
        [DoesNotChangeResult]
        public ImageArchitecture? Architecture { get; set; }

        /// <summary>How the pooling layers compute. Default <see cref="LossPooling.AsTrained"/>.</summary>
        public LossPooling Pooling { get; set; }

        /// <summary>
        /// The layer whose means and deviations are exchanged, by full name (<c>features.4</c>) or by the name in papers (<c>relu4_1</c>,
        /// <c>fire4</c>). A deeper one changes larger patterns and loses more of the content. Default null: relu4_1 of VGG, fire4 of SqueezeNet;
        /// other networks need it.
        /// </summary>
        [DoesNotChangeResult]
        public string? EncoderLayer { get; set; }

        /// <summary>
        /// The layers that compare the style. Default null: relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1 of VGG; relu1_1, fire3, fire4 and fire5
        /// of SqueezeNet, each up to <see cref="EncoderLayer"/>; other networks need them.
        /// </summary>
        [DoesNotChangeResult]
        public IReadOnlyList<string>? StyleLayers { get; set; }

        /// <summary>The factor of each style layer, at least 0. Default null: 1 each.</summary>
        public IReadOnlyList<double>? StyleLayerWeights { get; set; }

        /// <summary>The factor of the content loss, at least 0. Default 1.</summary>
        public double ContentWeight { get; set; } = 1;

        /// <summary>The factor of the style loss, at least 0. Default 10.</summary>
        public double StyleWeight { get; set; } = DefaultStyleWeight;

        /// <summary>
        /// The factor of the mean squared difference of neighboring pixels from 0 to 1, at least 0: more makes pictures smoother. Default 1.
        /// </summary>
        public double TotalVariationWeight { get; set; } = 1;

        /// <summary>Whether the styles of the training are given as pictures; otherwise they are in the column.</summary>
        internal bool HasStylePictures => StylePaths.Count + StyleImages.Count > 0;

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
            [(nameof(EncoderLayer), EncoderLayer ?? "null")];

        internal override TrainingOptions Snapshot()
        {
            var copy = (Options)base.Snapshot();
            (copy.StylePaths, copy.StyleImages) = (StylePaths.ToArray(), StyleImages.ToArray());
            (copy.StyleLayers, copy.StyleLayerWeights) = (StyleLayers?.ToArray(), StyleLayerWeights?.ToArray());
            return copy;
        }

        internal override void Check()
        {
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            OptionCheck.NotEmpty(InputColumnName, nameof(InputColumnName));
            OptionCheck.NotEmpty(StyleColumnName, nameof(StyleColumnName));
            if (StrengthColumnName != null)
                OptionCheck.NotEmpty(StrengthColumnName, nameof(StrengthColumnName));
            // It may be that of the contents: the training exchanges the styles of rows at random.
            ColumnNames.RequireOther(StyleColumnName, nameof(StyleColumnName), (OutputColumnName, nameof(OutputColumnName)));
            ColumnNames.RequireOther(
                StrengthColumnName,
                nameof(StrengthColumnName),
                (InputColumnName, nameof(InputColumnName)),
                (StyleColumnName, nameof(StyleColumnName)),
                (OutputColumnName, nameof(OutputColumnName)));
            OptionCheck.NotNull(StylePaths, nameof(StylePaths));
            OptionCheck.NotNull(StyleImages, nameof(StyleImages));
            OptionCheck.Above(StyleScale, 0, 100, nameof(StyleScale));
            OptionCheck.Between(Strength, 0, 1, nameof(Strength));
            OptionCheck.NotEmpty(WeightsPath, nameof(WeightsPath));
            OptionCheck.Defined(Pooling, nameof(Pooling));
            OptionCheck.NotNegative(ContentWeight, nameof(ContentWeight));
            OptionCheck.NotNegative(StyleWeight, nameof(StyleWeight));
            OptionCheck.NotNegative(TotalVariationWeight, nameof(TotalVariationWeight));
            if (ContentWeight + StyleWeight <= 0)
                throw new ArgumentOutOfRangeException(nameof(ContentWeight), ContentWeight, $"{nameof(ContentWeight)} and {nameof(StyleWeight)} are 0; at least one must be greater.");
            try
            {
                ImageShape?.Check(nameof(ImageShape));
            }
            catch (FormatException e)
            {
                throw new ArgumentException(e.Message, nameof(ImageShape), e);
            }
            try
            {
                Architecture?.Check();
            }
            catch (FormatException e)
            {
                throw new ArgumentException($"{nameof(Architecture)}: {e.Message}", nameof(Architecture), e);
            }
            base.Check();
        }
    }
}

/// <summary>What the options mean for a network.</summary>
/// <param name="LayerNames">All layers, for the user.</param>
/// <param name="EncoderLayer">The full name of the layer whose statistics are exchanged.</param>
/// <param name="StyleLayers">The full names of the layers that compare the style.</param>
/// <param name="StyleLayerWeights">The factor of each of them.</param>
internal sealed record AdaptiveStylePlan(IReadOnlyList<string> LayerNames, string EncoderLayer, IReadOnlyList<string> StyleLayers, IReadOnlyList<double> StyleLayerWeights)
{
    // Of the usual style layers, the one that Huang and Belongie take, and the one with the same stride and width in SqueezeNet.
    private static readonly string[] UsualEncoders = ["relu4_1", "fire4"];

    /// <exception cref="ArgumentException">A layer does not exist, or must be given; the message names it.</exception>
    public static AdaptiveStylePlan Of(AdaptiveStyleTransferEstimator.Options options, IReadOnlyList<LossLayer> layers)
    {
        var usual = LossLayers.UsualOf(layers);
        var encoder = LossLayers.Choose(layers, options.EncoderLayer == null ? null : [options.EncoderLayer], usual?.Style.Where(UsualEncoders.Contains).ToArray(), nameof(options.EncoderLayer))[0];
        var upToEncoder = layers.TakeWhile(layer => layer.Path != encoder).Append(layers.First(layer => layer.Path == encoder)).ToArray();
        var usualStyle = usual?.Style.Where(name => upToEncoder.Any(layer => layer.Is(name))).ToArray();
        if (options.StyleLayers == null && usualStyle is [])
            throw new ArgumentException($"{nameof(options.StyleLayers)} is null, and all of the usual ones ({Messages.NameList.Of(usual!.Value.Style)}) are behind {nameof(options.EncoderLayer)} '{options.EncoderLayer}'. Name some in {nameof(options.StyleLayers)}, or choose a later {nameof(options.EncoderLayer)}.", nameof(options.StyleLayers));
        var style = LossLayers.Choose(layers, options.StyleLayers, usualStyle, nameof(options.StyleLayers));
        var weights = options.StyleLayerWeights ?? Enumerable.Repeat(1.0, style.Length).ToArray();
        if (weights.Count != style.Length || weights.Any(weight => !(weight >= 0 && double.IsFinite(weight))))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.StyleLayerWeights)} is [{Messages.NumberList.Of(weights)}]; it must have a finite number of at least 0 for each of the {style.Length} style layers ({Messages.NameList.Of(style)})."), nameof(options.StyleLayerWeights));
        return new AdaptiveStylePlan(layers.Select(layer => layer.ToString()).ToArray(), encoder, style, weights);
    }
}
