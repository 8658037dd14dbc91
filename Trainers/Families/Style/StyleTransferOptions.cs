using System.Text.Json.Serialization;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

public sealed partial class StyleTransferEstimator
{
    /// <summary>The options of <see cref="StyleTransferEstimator"/>.</summary>
    public sealed class Options
    {
        internal const double DefaultStyleWeight = 20;
        internal const int DefaultIterations = 200;
        private const int MaximumIterations = 1_000_000;
        private const int MaximumPadding = 1024;
        private const double AdamLearningRate = 0.02;

        private double? _learningRate;

        /// <summary>The column to add, an image of the size of the content picture. Default <c>Styled</c>.</summary>
        public string OutputColumnName { get; set; } = "Styled";

        /// <summary>The column of the content pictures, <c>MLImage</c> of any size. Default <c>Image</c>.</summary>
        public string InputColumnName { get; set; } = "Image";

        /// <summary>
        /// The column of masks, <c>MLImage</c> of the size of the content picture: white where the style is to be, black where the content
        /// picture stays as it is, gray in between. Default null: the style is everywhere.
        /// </summary>
        public string? MaskColumnName { get; set; }

        /// <summary>The column to add for the loss of the picture, the weighted sum of the three losses, a <c>Single</c>. Default null: none.</summary>
        public string? LossColumnName { get; set; }

        /// <summary>The files of the style pictures. Default: none; they or <see cref="StyleImages"/> are needed.</summary>
        [JsonIgnore]
        public IReadOnlyList<string> StylePaths { get; set; } = [];

        /// <summary>Style pictures in memory, after those of <see cref="StylePaths"/>. They are not changed. Default: none.</summary>
        [JsonIgnore]
        public IReadOnlyList<MLImage> StyleImages { get; set; } = [];

        /// <summary>The share of each style picture, at least 0; only their proportions matter. Default null: all the same.</summary>
        [JsonIgnore]
        public IReadOnlyList<double>? StyleBlendWeights { get; set; }

        /// <summary>
        /// The factor on the size of the style pictures before their style is measured, greater than 0: 0.5 makes strokes half as wide.
        /// Default 1: pictures are used as they are.
        /// </summary>
        [JsonIgnore]
        public double StyleScale { get; set; } = 1;

        /// <summary>
        /// The safetensors file with the weights of the loss network. Without <see cref="Architecture"/> the network is recognized, as by
        /// <see cref="ImageFeaturesEstimator"/>: SqueezeNet 1.0, VGG-16, VGG-19 and others with torchvision's names.
        /// </summary>
        [JsonIgnore]
        public string WeightsPath { get; set; } = "";

        /// <summary>The network whose weights the file has, if it is not a known one. Default null.</summary>
        [JsonIgnore]
        public ImageArchitecture? Architecture { get; set; }

        /// <summary>How the pooling layers compute. Default <see cref="LossPooling.AsTrained"/>.</summary>
        [JsonIgnore]
        public LossPooling Pooling { get; set; }

        /// <summary>
        /// The layers that compare the content, by full name (<c>features.4</c>) or by the name in papers (<c>relu4_2</c>, <c>fire3</c>).
        /// Default null: relu4_2 of VGG, fire4 of SqueezeNet; other networks need them.
        /// </summary>
        public IReadOnlyList<string>? ContentLayers { get; set; }

        /// <summary>
        /// The layers that compare the style. Default null: relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1 of VGG; relu1_1, fire3, fire4 and
        /// fire5 of SqueezeNet; other networks need them.
        /// </summary>
        public IReadOnlyList<string>? StyleLayers { get; set; }

        /// <summary>
        /// The factor of each style layer, at least 0. Default null: 1 each, or with <see cref="StyleLossForm.Absolute"/> 1 divided by the
        /// number of layers.
        /// </summary>
        public IReadOnlyList<double>? StyleLayerWeights { get; set; }

        /// <summary>The factor of the content loss, at least 0. Default 1.</summary>
        public double ContentWeight { get; set; } = 1;

        /// <summary>
        /// The factor of the style loss, at least 0. Default 20, for <see cref="StyleLossForm.Relative"/>: 10 to 30 give clear strokes with
        /// the content intact.
        /// </summary>
        public double StyleWeight { get; set; } = DefaultStyleWeight;

        /// <summary>
        /// The factor of the mean squared difference of neighboring pixels from 0 to 1, at least 0: more makes pictures smoother. Default 1.
        /// </summary>
        public double TotalVariationWeight { get; set; } = 1;

        /// <summary>The formulas of the losses. Default <see cref="StyleLossForm.Relative"/>.</summary>
        public StyleLossForm LossForm { get; set; }

        /// <summary>
        /// The number of pixels by which the network sees pictures continued, by reflection, at each border, from 0 to 1,024; without them a
        /// frame can become visible. Default 8.
        /// </summary>
        public int BorderPadding { get; set; } = 8;

        /// <summary>The picture to start with. Default <see cref="StyleTransferStart.Content"/>.</summary>
        public StyleTransferStart Start { get; set; }

        /// <summary>
        /// The column of the pictures to start with, <c>MLImage</c> of the size of the content picture, for
        /// <see cref="StyleTransferStart.Column"/>. Default null.
        /// </summary>
        public string? StartColumnName { get; set; }

        /// <summary>
        /// Whether the pictures keep their colors: only the luminance (ITU-R BT.601) is changed, and the style pictures are compared by
        /// theirs, moved to the mean and deviation of the content picture's. Gatys et al., "Preserving Color in Neural Artistic Style
        /// Transfer", 2016. Default false.
        /// </summary>
        public bool PreserveColors { get; set; }

        /// <summary>The number of steps, each with one gradient, from 1 to 1,000,000. Default 200.</summary>
        public int Iterations { get; set; } = DefaultIterations;

        /// <summary>The optimizer: usually <see cref="AdamOptimizer"/> or <see cref="LbfgsOptimizer"/>. Default Adam.</summary>
        public Optimizer Optimizer { get; set; } = new AdamOptimizer();

        /// <summary>
        /// The learning rate, for pixels from 0 to 1. That of Adam and others falls to a tenth in the last quarter of the steps; that of
        /// L-BFGS stays. Default 0.02, for <see cref="LbfgsOptimizer"/> 1.
        /// </summary>
        public double LearningRate
        {
            get => _learningRate ?? (Optimizer is LbfgsOptimizer ? 1 : AdamLearningRate);
            set => _learningRate = value;
        }

        /// <summary>The seed of <see cref="StyleTransferStart.Noise"/>. Default null: the seed of the MLContext, or a random one.</summary>
        public int? Seed { get; set; }

        /// <summary>Number of threads of the computation. Default null: libtorch's default, one per core; one for small pictures.</summary>
        public int? ThreadCount { get; set; }

        /// <summary>The number of steps after which the progress has a picture; 0 for none. Default 0.</summary>
        public int PictureInterval { get; set; }

        /// <summary>
        /// Receives the losses after each step, on the thread that reads the rows. It is not saved with the model. Default null: none.
        /// </summary>
        [JsonIgnore]
        public IProgress<StyleTransferProgress>? Progress { get; set; }

        /// <summary>
        /// Cancels the picture within one step; reading the row then throws <see cref="OperationCanceledException"/>. It is not saved with
        /// the model. Default: not cancelable.
        /// </summary>
        [JsonIgnore]
        public CancellationToken CancellationToken { get; set; }

        internal IEnumerable<string> InputColumns =>
            new[] { InputColumnName, MaskColumnName, Start == StyleTransferStart.Column ? StartColumnName : null }.OfType<string>();

        internal Options Copy()
        {
            var copy = (Options)MemberwiseClone();
            (copy.StylePaths, copy.StyleImages) = ([.. StylePaths ?? []], [.. StyleImages ?? []]);
            copy.StyleBlendWeights = StyleBlendWeights?.ToArray();
            (copy.ContentLayers, copy.StyleLayers, copy.StyleLayerWeights) = (ContentLayers?.ToArray(), StyleLayers?.ToArray(), StyleLayerWeights?.ToArray());
            return copy;
        }

        internal void Check()
        {
            CheckSaved();
            OptionCheck.NotEmpty(WeightsPath, nameof(WeightsPath));
            OptionCheck.Defined(Pooling, nameof(Pooling));
            var pictures = StylePaths.Count + StyleImages.Count;
            if (pictures == 0)
                throw new ArgumentException($"{nameof(StylePaths)} and {nameof(StyleImages)} are empty; at least one style picture is needed.", nameof(StylePaths));
            if (StyleBlendWeights is { } shares && (shares.Count != pictures || shares.Any(share => !(share >= 0 && double.IsFinite(share))) || !(shares.Sum() > 0 && double.IsFinite(shares.Sum()))))
                throw new ArgumentException(FormattableString.Invariant($"{nameof(StyleBlendWeights)} is [{string.Join(", ", shares.Select(share => FormattableString.Invariant($"{share}")))}]; it must have a number of at least 0 for each of the {pictures} style pictures, and not only zeros; their sum must be finite."), nameof(StyleBlendWeights));
            OptionCheck.Above(StyleScale, 0, 100, nameof(StyleScale));
            try
            {
                Architecture?.Check();
            }
            catch (FormatException e)
            {
                throw new ArgumentException($"{nameof(Architecture)}: {e.Message}", nameof(Architecture), e);
            }
        }

        /// <summary>Checks what is saved with a model.</summary>
        internal void CheckSaved()
        {
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            OptionCheck.NotEmpty(InputColumnName, nameof(InputColumnName));
            if (LossColumnName != null)
                OptionCheck.NotEmpty(LossColumnName, nameof(LossColumnName));
            ColumnNames.RequireOther(
                LossColumnName,
                nameof(LossColumnName),
                (OutputColumnName, nameof(OutputColumnName)),
                (InputColumnName, nameof(InputColumnName)),
                (MaskColumnName, nameof(MaskColumnName)),
                (StartColumnName, nameof(StartColumnName)));
            OptionCheck.NotNegative(ContentWeight, nameof(ContentWeight));
            OptionCheck.NotNegative(StyleWeight, nameof(StyleWeight));
            OptionCheck.NotNegative(TotalVariationWeight, nameof(TotalVariationWeight));
            if (ContentWeight + StyleWeight + TotalVariationWeight <= 0)
                throw new ArgumentOutOfRangeException(nameof(ContentWeight), ContentWeight, $"{nameof(ContentWeight)}, {nameof(StyleWeight)} and {nameof(TotalVariationWeight)} are 0; at least one must be greater.");
            OptionCheck.Defined(LossForm, nameof(LossForm));
            OptionCheck.Require(BorderPadding is >= 0 and <= MaximumPadding, BorderPadding, nameof(BorderPadding), FormattableString.Invariant($"from 0 to {MaximumPadding}"));
            OptionCheck.Defined(Start, nameof(Start));
            if (Start == StyleTransferStart.Column != (StartColumnName != null))
                throw new ArgumentException($"{nameof(Start)} is {Start} and {nameof(StartColumnName)} is {(StartColumnName == null ? "null" : $"'{StartColumnName}'")}; a column is needed for {StyleTransferStart.Column}, and only for it.", nameof(StartColumnName));
            OptionCheck.Count(Iterations, MaximumIterations, nameof(Iterations));
            OptionCheck.NotNull(Optimizer, nameof(Optimizer));
            Optimizer.Check();
            OptionCheck.Positive(LearningRate, nameof(LearningRate));
            OptionCheck.Count(ThreadCount ?? 1, 1024, nameof(ThreadCount));
            OptionCheck.AtLeast(PictureInterval, 0, nameof(PictureInterval));
        }
    }
}
