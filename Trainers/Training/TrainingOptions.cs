using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// Options shared by all trainings. They are checked and copied when the estimator is created: changing them afterwards has no effect.
/// </summary>
public abstract class TrainingOptions
{
    // The short overloads of the catalogs have the same defaults.
    internal const int DefaultEpochs = 50;
    internal const int DefaultBatchSize = 32;
    internal const double DefaultLearningRate = 0.001;

    /// <summary>The limit of lists of layers.</summary>
    private protected const int MaximumLayers = 10_000;

    // More than any computer has; OpenMP ends the process if it cannot start that many.
    private const int MaximumThreads = 1024;

    private double? _learningRate;
    private bool _isOfAllRanks;

    private protected TrainingOptions()
    {
    }

    /// <summary>
    /// Number of passes over the training data. 0 uses <see cref="InitialModel"/> or a file of initial weights without
    /// training. Default 50.
    /// </summary>
    [DoesNotChangeResult]
    public int Epochs { get; set; } = DefaultEpochs;

    /// <summary>The learning rate if none is set.</summary>
    private protected virtual double UsualLearningRate => DefaultLearningRate;

    /// <summary>Whether a learning rate was set: then it is obeyed, whatever the data.</summary>
    private protected bool IsLearningRateSet => _learningRate != null;

    /// <summary>
    /// Number of examples per training step. With <see cref="Distributed"/> each rank has so many, unless <see cref="GlobalBatchSize"/> is set.
    /// Default 32.
    /// </summary>
    public int BatchSize { get; set; } = DefaultBatchSize;

    /// <summary>
    /// Number of examples per training step of all ranks together, so that the result does not depend on how many there are. It replaces
    /// <see cref="BatchSize"/>, and must be a multiple of the number of ranks. Default null: <see cref="BatchSize"/> times the number of ranks.
    /// </summary>
    [DoesNotChangeResult]
    public int? GlobalBatchSize { get; set; }

    /// <summary>
    /// Number of batches whose mean gradient makes one update of the weights: a larger batch than memory has room for. Batch normalization still
    /// sees one batch at a time. The last update of an epoch takes the batches that are left. Default 1.
    /// </summary>
    public int GradientAccumulationSteps { get; set; } = 1;

    /// <summary>
    /// The processes that train together: <see cref="MLExtensions.Distributed.FromEnvironment"/>. Default null: this one alone.
    /// </summary>
    [DoesNotChangeResult]
    public Distributed? Distributed { get; set; }

    /// <summary>Learning rate, before <see cref="LearningRateSchedule"/> is applied. Default 0.001.</summary>
    public double LearningRate
    {
        get => _learningRate ?? UsualLearningRate;
        set => _learningRate = value;
    }

    /// <summary>How the learning rate changes during training. Default: constant.</summary>
    public LearningRateSchedule LearningRateSchedule { get; set; } = new ConstantSchedule();

    /// <summary>The optimizer. Default Adam.</summary>
    public Optimizer Optimizer { get; set; } = new AdamOptimizer();

    /// <summary>
    /// L2 penalty: the factor of half the sum of squared weights in the loss. Biases and normalization layers are excluded. Default 0.
    /// </summary>
    public double L2Regularization { get; set; }

    /// <summary>
    /// L1 penalty: the factor of the sum of absolute weights in the loss. Biases and normalization layers are excluded. Default 0.
    /// </summary>
    public double L1Regularization { get; set; }

    /// <summary>
    /// Decoupled weight decay (Loshchilov and Hutter, 2019): each training step multiplies the weights by 1 - learning rate * weight decay.
    /// Default null: 0.01 for AdamW, 0 for the other optimizers.
    /// </summary>
    public double? WeightDecay { get; set; }

    /// <summary>
    /// Maximum Euclidean norm of the gradients; larger ones are scaled down to it (Pascanu et al., 2013). Default null: no clipping.
    /// </summary>
    public double? GradientClipNorm { get; set; }

    /// <summary>How weights are initialized. Default <see cref="WeightInitialization.XavierUniform"/>.</summary>
    public WeightInitialization Initialization { get; set; } = WeightInitialization.XavierUniform;

    /// <summary>
    /// Early stopping; needs validation data, or, for deep Q-networks in an environment, evaluation episodes. Refused for GANs, and for
    /// values of actions that are learned from logs. Default null: all epochs are trained.
    /// </summary>
    public EarlyStopping? EarlyStopping { get; set; }

    /// <summary>
    /// Decay of an exponential moving average (EMA) of the weights, which replaces the weights in validation and in the trained model
    /// (Polyak and Juditsky, 1992). At training step n the decay is at most (1 + n) / (10 + n). Default null: no average.
    /// </summary>
    public double? EmaDecay { get; set; }

    /// <summary>
    /// Seed of initialization, shuffling, dropout and the validation split. Default null: the seed of the MLContext, or a random one.
    /// </summary>
    [DoesNotChangeResult]
    public int? Seed { get; set; }

    /// <summary>
    /// Where to train: <c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:n</c>. Default <c>auto</c>: a GPU if there is
    /// one, otherwise the CPU. Under <c>mpirun</c>, <c>auto</c> and <c>cuda</c> give each rank of a machine a GPU of its own.
    /// </summary>
    [DoesNotChangeResult]
    public string Device { get; set; } = "auto";

    /// <summary>Number format of the computation. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; set; }

    /// <summary>
    /// Number of threads of the computation, as in ML.NET's <c>NumberOfThreads</c>. Results differ in the last bits between thread counts. Default null: one for a small network,
    /// otherwise libtorch's default, one per core.
    /// </summary>
    [DoesNotChangeResult]
    public int? ThreadCount { get; set; }

    /// <summary>Folder for TensorBoard event files. Default null: none are written.</summary>
    [DoesNotChangeResult]
    public string? TensorBoardFolder { get; set; }

    /// <summary>Folder for the checkpoint, a file that is replaced atomically. Default null: no checkpoints.</summary>
    [DoesNotChangeResult]
    public string? CheckpointFolder { get; set; }

    /// <summary>Number of epochs between checkpoints; the last epoch always writes one. Default 1.</summary>
    [DoesNotChangeResult]
    public int CheckpointInterval { get; set; } = 1;

    /// <summary>
    /// Whether to resume from the checkpoint in <see cref="CheckpointFolder"/>. Training starts from the beginning if there is none. The
    /// weights are bitwise the same as without the interruption. Default false.
    /// </summary>
    [DoesNotChangeResult]
    public bool ResumeFromCheckpoint { get; set; }

    /// <summary>
    /// Receives progress reports, on the training thread; <see cref="ConsoleProgress"/> shows them on the console. Default null: none.
    /// </summary>
    /// <remarks>
    /// Whatever a handler sets in torch changes nothing of the training. What belongs to the thread (gradients, inference mode) and the number
    /// of threads is as it was before the training when <c>Fit</c> returns, as after every other call; what belongs to the whole process
    /// (default type and device, anomaly detection) stays as the handler set it.
    /// </remarks>
    [DoesNotChangeResult]
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>
    /// Cancels training within one batch; <c>Fit</c> then throws <see cref="OperationCanceledException"/>. Default: not cancelable.
    /// </summary>
    [DoesNotChangeResult]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>
    /// A trained network of the same architecture, or a transformer chain with one, to start from instead of <see cref="Initialization"/>.
    /// An output layer with another number of classes is initialized randomly. Default null: none.
    /// </summary>
    [DoesNotChangeResult]
    public ITransformer? InitialModel { get; set; }

    /// <summary>Which of several networks these options are for, as text; null if there is only one.</summary>
    internal string? Stage { get; set; }

    /// <summary>Whether somebody compares the data: a training that is resumed, or ranks.</summary>
    internal bool NeedsChecksum => CheckpointFolder != null || Distributed?.Group != null;

    /// <summary>The number of updates of the weights of an epoch.</summary>
    internal int CountSteps(int batches) => (batches + GradientAccumulationSteps - 1) / GradientAccumulationSteps;

    /// <summary>The factor of all learning rates for the number of ranks.</summary>
    internal int RankRateFactor => Distributed is { ScaleLearningRate: true } ranks ? ranks.WorldSize : 1;

    /// <summary>The rows of a batch that this rank has.</summary>
    internal int RowsOfRank => BatchSize / (Distributed?.WorldSize ?? 1);

    /// <summary>Whether the weights after an epoch depend on the number of epochs that are asked for.</summary>
    internal virtual bool DependsOnEpochs => LearningRateSchedule is not ConstantSchedule;

    /// <summary>A folder of a family's own for files of the training, with the name of its option; null if there is none.</summary>
    internal virtual (string Folder, string Option)? MoreFolder => null;

    /// <summary>Leaves reports and files to another process.</summary>
    private protected virtual void BeSilent() => (Progress, TensorBoardFolder) = (null, null);

    /// <summary>Initializes the weights of a new network.</summary>
    internal virtual void InitializeWeights(nn.Module network, ulong seed) => WeightInitializer.Initialize(network, Initialization, seed);

    /// <summary>The optimization settings of a network with these options.</summary>
    internal virtual OptimizationSettings Optimization => new()
    {
        Optimizer = Optimizer,
        L1 = L1Regularization,
        L2 = L2Regularization,
        WeightDecay = WeightDecay,
        ClipNorm = GradientClipNorm,
        AverageDecay = EmaDecay,
        Precision = Precision,
        AccumulationSteps = GradientAccumulationSteps,
        Distributed = Distributed,
    };

    /// <summary>Whether 0 epochs are allowed because the network is already trained.</summary>
    private protected virtual bool StartsTrained => InitialModel != null;

    /// <summary>What 0 epochs require, as text.</summary>
    private protected virtual string TrainedStart => nameof(InitialModel);

    /// <summary>Chooses the seed: that of the options, that of the context, or a random one.</summary>
    internal int ChooseSeed(IHostEnvironment env)
    {
        if ((Seed ?? ((IHostEnvironmentInternal)env).Seed) is { } given)
            return given;
        return MLExtensions.Distributed.Agree(Distributed, Random.Shared.Next());
    }

    /// <summary>
    /// Returns a copy that is independent of later changes to this object. Its batches are those of all ranks together.
    /// </summary>
    internal virtual TrainingOptions Snapshot()
    {
        var copy = (TrainingOptions)MemberwiseClone();
        if (_isOfAllRanks)
            return copy;
        copy._isOfAllRanks = true;
        var ranks = Distributed?.WorldSize ?? 1;
        copy.BatchSize = GlobalBatchSize ?? checked(BatchSize * ranks);
        copy.GlobalBatchSize = null;
        if (Distributed is { IsMain: false })
            copy.BeSilent();
        return copy;
    }

    /// <exception cref="ArgumentException">
    /// An option is out of range; the message names the option, its value and the allowed values.
    /// </exception>
    internal virtual void Check()
    {
        OptionCheck.Require(Epochs >= (StartsTrained ? 0 : 1), Epochs, nameof(Epochs), $"at least 1, or 0 with {TrainedStart}");
        OptionCheck.AtLeast(BatchSize, 1, nameof(BatchSize));
        OptionCheck.AtLeast(GradientAccumulationSteps, 1, nameof(GradientAccumulationSteps));
        if (GlobalBatchSize is { } all)
            OptionCheck.Require(all >= 1 && all % (Distributed?.WorldSize ?? 1) == 0, all, nameof(GlobalBatchSize), FormattableString.Invariant($"a positive multiple of the number of ranks, {Distributed?.WorldSize ?? 1}"));
        Distributed?.Check();
        OptionCheck.Positive(LearningRate, nameof(LearningRate));
        OptionCheck.NotNull(LearningRateSchedule, nameof(LearningRateSchedule));
        if (Epochs > 0)
            LearningRateSchedule.Check(Epochs);
        OptionCheck.NotNull(Optimizer, nameof(Optimizer));
        Optimizer.Check();
        OptionCheck.NotNegative(L2Regularization, nameof(L2Regularization));
        OptionCheck.NotNegative(L1Regularization, nameof(L1Regularization));
        OptionCheck.NotNegative(WeightDecay ?? 0, nameof(WeightDecay));
        OptionCheck.Positive(GradientClipNorm ?? 1, nameof(GradientClipNorm));
        OptionCheck.Defined(Initialization, nameof(Initialization));
        EarlyStopping?.Check();
        OptionCheck.Fraction(EmaDecay ?? 0, nameof(EmaDecay));
        TrainingDevice.Parse(Device);
        OptionCheck.Defined(Precision, nameof(Precision));
        OptionCheck.Count(ThreadCount ?? 1, MaximumThreads, nameof(ThreadCount));
        OptionCheck.AtLeast(CheckpointInterval, 1, nameof(CheckpointInterval));
        if (CheckpointFolder != null)
            OptionCheck.NotEmpty(CheckpointFolder, nameof(CheckpointFolder));
        if (TensorBoardFolder != null)
            OptionCheck.NotEmpty(TensorBoardFolder, nameof(TensorBoardFolder));
        if (ResumeFromCheckpoint && CheckpointFolder == null)
            throw new ArgumentException($"{nameof(ResumeFromCheckpoint)} needs a {nameof(CheckpointFolder)} to resume from.", nameof(ResumeFromCheckpoint));
    }
}
