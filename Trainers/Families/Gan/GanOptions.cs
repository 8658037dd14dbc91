using MLExtensions.Engine;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>The options of generative adversarial networks (GANs).</summary>
/// <remarks>
/// <see cref="TrainingOptions.LearningRate"/>, <see cref="TrainingOptions.LearningRateSchedule"/>, <see cref="TrainingOptions.Optimizer"/>,
/// <see cref="TrainingOptions.EmaDecay"/> and the layers of <see cref="DataTrainingOptions.FrozenLayers"/> are those of the generator.
/// Regularization, gradient clipping and initialization hold for both networks.
/// </remarks>
public abstract class GanOptions : RowTrainingOptions
{
    internal const string DefaultOutputColumnName = "Sample";
    internal const int DefaultGanBatchSize = 64;

    private protected GanOptions()
    {
        BatchSize = DefaultGanBatchSize;
        Optimizer = new AdamOptimizer { Beta1 = 0.5 };
        LearningRateSchedule = LearningRateSchedule.Linear(holdFraction: 0.5);
    }

    /// <summary>The column to add: a generated sample for each row. Default <c>Sample</c>.</summary>
    [DoesNotChangeResult]
    public string OutputColumnName { get; set; } = DefaultOutputColumnName;

    /// <summary>
    /// Whether samples are images (<c>MLImage</c>) instead of vectors of values, channel after channel. Needs an image size and a
    /// <see cref="ValueRange"/>. Default false.
    /// </summary>
    [DoesNotChangeResult]
    public bool OutputImages { get; set; }

    /// <summary>
    /// The column of the real samples: a <c>Vector&lt;Single&gt;</c> of known size, or images (<c>MLImage</c>) of known size. Default
    /// <c>Features</c>.
    /// </summary>
    [DoesNotChangeResult]
    public string FeatureColumnName { get; set; } = "Features";

    /// <summary>
    /// The column of their classes, a key. The GAN is then conditional: it generates samples of a given class, and the transformer reads
    /// this column, too. Default null: no classes.
    /// </summary>
    public string? LabelColumnName { get; set; }

    /// <summary>
    /// The column from which the transformer takes the noise, a <c>Vector&lt;Single&gt;</c> of the latent size. Training does not read it.
    /// Default null: noise is drawn.
    /// </summary>
    [DoesNotChangeResult]
    public string? NoiseColumnName { get; set; }

    /// <summary>
    /// The column of a whole number or key from which the transformer draws the noise: the same number gives the same sample. Training does
    /// not read it. Default null: noise is drawn from the number of the row in the data.
    /// </summary>
    [DoesNotChangeResult]
    public string? SeedColumnName { get; set; }

    /// <summary>The layers of both networks. Default null: those of the estimator.</summary>
    public GanNetworks? Networks { get; set; }

    /// <summary>The size of the images, if the column does not determine it. Default null.</summary>
    public ImageShape? ImageShape { get; set; }

    /// <summary>
    /// The range of the real samples, which the generator's last layer, tanh or sigmoid, stands for; values outside of it cause an
    /// exception. Not used if that layer has no limits. Default null: 0 to 255 for images (<c>MLImage</c>), 0 to 1 for vectors.
    /// </summary>
    public ValueRange? ValueRange { get; set; }

    /// <summary>What the networks minimize. Default <see cref="AdversarialLoss.NonSaturating"/>, with Dcgan <see cref="AdversarialLoss.Hinge"/>.</summary>
    public AdversarialLoss Loss { get; set; }

    /// <summary>The factor of the gradient penalty of <see cref="AdversarialLoss.WassersteinGradientPenalty"/>. Default 10.</summary>
    public double GradientPenalty { get; set; } = 10;

    /// <summary>The number of training steps of the discriminator, each with other samples, per step of the generator. Default 1.</summary>
    public int DiscriminatorSteps { get; set; } = 1;

    /// <summary>
    /// What is missing to 1 in the answer that is right for real samples, in [0, 0.5): the discriminator becomes less sure of itself
    /// (Salimans et al., 2016). Not for hinge and Wasserstein losses. Default 0.
    /// </summary>
    public double LabelSmoothing { get; set; }

    /// <summary>
    /// The number of samples that the discriminator judges together, which makes missing variety visible (Lin et al., "PacGAN", 2018). Divides
    /// <see cref="TrainingOptions.BatchSize"/>. Default 1.
    /// </summary>
    public int PackSize { get; set; } = 1;

    /// <summary>
    /// Random changes of real and generated images before the discriminator sees them, which make few images go further (Zhao et al.,
    /// "Differentiable Augmentation", 2020). Default none.
    /// </summary>
    public DifferentiableAugmentation Augmentation { get; set; }

    /// <summary>The learning rate of the discriminator. Default null: that of the generator.</summary>
    public double? DiscriminatorLearningRate { get; set; }

    /// <summary>The learning rate schedule of the discriminator. Default null: that of the generator.</summary>
    public LearningRateSchedule? DiscriminatorLearningRateSchedule { get; set; }

    /// <summary>The optimizer of the discriminator. Default null: that of the generator.</summary>
    public Optimizer? DiscriminatorOptimizer { get; set; }

    /// <summary>
    /// The folder for pictures of samples, <c>samples-0001.png</c> and so on, always of the same noise. Only for images of 1 or 3 channels
    /// and samples of 2 numbers. Default null: none; TensorBoard gets them in any case.
    /// </summary>
    [DoesNotChangeResult]
    public string? SamplesFolder { get; set; }

    /// <summary>The number of epochs between two pictures of samples. Default 1.</summary>
    [DoesNotChangeResult]
    public int SampleInterval { get; set; } = 1;

    /// <summary>The layers of both networks for data.</summary>
    /// <param name="image">The size of the images, or null.</param>
    /// <param name="conditional">Whether there are classes.</param>
    internal abstract GanNetworks CreateNetworks(ImageShape? image, bool conditional);

    internal override bool DependsOnEpochs => base.DependsOnEpochs || DiscriminatorLearningRateSchedule is not (null or ConstantSchedule);

    internal override (string Folder, string Option)? MoreFolder => SamplesFolder == null ? null : (SamplesFolder, nameof(SamplesFolder));

    private protected override void BeSilent()
    {
        base.BeSilent();
        SamplesFolder = null;
    }

    /// <summary>The settings of the discriminator.</summary>
    internal OptimizationSettings DiscriminatorOptimization => base.Optimization with
    {
        Optimizer = DiscriminatorOptimizer ?? Optimizer,
        Layers = LayerSelection.All,
        AverageDecay = null,
    };

    /// <summary>The learning rate of the discriminator.</summary>
    /// <param name="epoch">The number of finished epochs, fractional within an epoch.</param>
    internal double DiscriminatorRateAt(double epoch) =>
        (DiscriminatorLearningRate ?? LearningRate) * RankRateFactor * (DiscriminatorLearningRateSchedule ?? LearningRateSchedule).Factor(epoch, Epochs);

    internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
        [(nameof(Networks), Networks == null ? "null" : "set")];

    internal override void Check()
    {
        base.Check();
        if (EarlyStopping != null)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(EarlyStopping)} is set, but the losses of a GAN do not say which epoch is best; it must be null. Compare models with mlContext.GenerativeModels instead."), nameof(EarlyStopping));
        OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
        OptionCheck.NotEmpty(FeatureColumnName, nameof(FeatureColumnName));
        foreach (var (name, option) in new[] { (LabelColumnName, nameof(LabelColumnName)), (NoiseColumnName, nameof(NoiseColumnName)), (SeedColumnName, nameof(SeedColumnName)), (SamplesFolder, nameof(SamplesFolder)) })
        {
            if (name != null)
                OptionCheck.NotEmpty(name, option);
        }
        Messages.ColumnNames.RequireOther(LabelColumnName, nameof(LabelColumnName), (OutputColumnName, nameof(OutputColumnName)));
        if (NoiseColumnName != null && SeedColumnName != null)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(SeedColumnName)} is '{SeedColumnName}', but {nameof(NoiseColumnName)} is set, too; noise can come from only one of them."), nameof(SeedColumnName));
        OptionCheck.Defined(Loss, nameof(Loss));
        OptionCheck.NotNegative(GradientPenalty, nameof(GradientPenalty));
        OptionCheck.AtLeast(DiscriminatorSteps, 1, nameof(DiscriminatorSteps));
        OptionCheck.Require(DiscriminatorSteps == 1 || GradientAccumulationSteps == 1, GradientAccumulationSteps, nameof(GradientAccumulationSteps), FormattableString.Invariant($"1 with {nameof(DiscriminatorSteps)} = {DiscriminatorSteps}: the two networks would make their updates at different batches"));
        OptionCheck.Require(LabelSmoothing is >= 0 and < 0.5, LabelSmoothing, nameof(LabelSmoothing), "at least 0 and below 0.5");
        OptionCheck.Require(LabelSmoothing == 0 || Loss is not (AdversarialLoss.Hinge or AdversarialLoss.WassersteinGradientPenalty), LabelSmoothing, nameof(LabelSmoothing), FormattableString.Invariant($"0 with {nameof(Loss)} = {Loss}, which has no right answer to come close to"));
        OptionCheck.AtLeast(PackSize, 1, nameof(PackSize));
        OptionCheck.Require(BatchSize % PackSize == 0, PackSize, nameof(PackSize), FormattableString.Invariant($"a divisor of {nameof(BatchSize)}, {BatchSize}"));
        OptionCheck.Require((Augmentation & ~DifferentiableAugmentation.All) == 0, Augmentation, nameof(Augmentation), FormattableString.Invariant($"a combination of {string.Join(", ", Enum.GetNames<DifferentiableAugmentation>())}"));
        OptionCheck.Positive(DiscriminatorLearningRate ?? 1, nameof(DiscriminatorLearningRate));
        if (Epochs > 0)
            DiscriminatorLearningRateSchedule?.Check(Epochs);
        DiscriminatorOptimizer?.Check();
        OptionCheck.AtLeast(SampleInterval, 1, nameof(SampleInterval));
        CheckFormats();
    }

    private void CheckFormats()
    {
        try
        {
            ValueRange?.Check(nameof(ValueRange));
            ImageShape?.Check(nameof(ImageShape));
        }
        catch (FormatException e)
        {
            throw new ArgumentException(e.Message, ValueRange == null ? nameof(ImageShape) : nameof(ValueRange), e);
        }
    }
}
