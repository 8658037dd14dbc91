using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// Options shared by all trainings, whatever the networks learn from. Values are checked when the estimator is created, which keeps a
/// copy: changing the options afterwards has no effect.
/// </summary>
public abstract class TrainingOptions
{
    // The short overloads of the catalogs have the same defaults.
    internal const int DefaultEpochs = 50;
    internal const int DefaultBatchSize = 32;
    internal const double DefaultLearningRate = 0.001;

    private protected TrainingOptions()
    {
    }

    /// <summary>
    /// Number of passes over the training data; 0 applies <see cref="InitialModel"/>, or a file of initial weights, as it is. Default 50.
    /// </summary>
    [DoesNotChangeResult]
    public int Epochs { get; set; } = DefaultEpochs;

    /// <summary>The number of examples of a gradient step. Default 32.</summary>
    public int BatchSize { get; set; } = DefaultBatchSize;

    /// <summary>The learning rate, before the schedule. Default 0.001.</summary>
    public double LearningRate { get; set; } = DefaultLearningRate;

    /// <summary>How the learning rate changes over the epochs. Default: it doesn't.</summary>
    public LearningRateSchedule LearningRateSchedule { get; set; } = new ConstantSchedule();

    /// <summary>The optimizer. Default Adam.</summary>
    public Optimizer Optimizer { get; set; } = new AdamOptimizer();

    /// <summary>The factor of half the squared weights in the loss; biases and normalisation are left out. Default 0.</summary>
    public double L2Regularization { get; set; }

    /// <summary>The factor of the absolute weights in the loss; biases and normalisation are left out. Default 0.</summary>
    public double L1Regularization { get; set; }

    /// <summary>
    /// Decoupled weight decay (Loshchilov and Hutter, 2019): each step multiplies the weights by 1 - learning rate * this.
    /// Default null: the optimizer's own, 0.01 for AdamW and 0 for the others.
    /// </summary>
    public double? WeightDecay { get; set; }

    /// <summary>Gradients of a larger Euclidean norm are scaled down to this one (Pascanu et al., 2013). Default null: they are not.</summary>
    public double? GradientClipNorm { get; set; }

    /// <summary>How weights start. Default <see cref="WeightInitialization.XavierUniform"/>.</summary>
    public WeightInitialization Initialization { get; set; } = WeightInitialization.XavierUniform;

    /// <summary>When to stop early; needs validation data. Default null: all epochs are trained.</summary>
    public EarlyStopping? EarlyStopping { get; set; }

    /// <summary>
    /// The decay of an exponential moving average of the weights, which then takes the place of the weights in validation and in
    /// the model (Polyak and Juditsky, 1992); at step n the decay is at most (1 + n) / (10 + n). Default null: no average.
    /// </summary>
    public double? EmaDecay { get; set; }

    /// <summary>The seed of initialisation, shuffling, dropout and the validation split. Default null: the MLContext's, or a random one.</summary>
    [DoesNotChangeResult]
    public int? Seed { get; set; }

    /// <summary>Where to train: <c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:n</c>. Default <c>auto</c>: a GPU when there is one.</summary>
    [DoesNotChangeResult]
    public string Device { get; set; } = "auto";

    /// <summary>The number format of the computation. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; set; }

    /// <summary>The number of threads of the computation. Default null: one for a small network, else libtorch's own, one a core. Another number gives other last bits.</summary>
    [DoesNotChangeResult]
    public int? ThreadCount { get; set; }

    /// <summary>A folder for TensorBoard's event files. Default null: none are written.</summary>
    [DoesNotChangeResult]
    public string? TensorBoardFolder { get; set; }

    /// <summary>A folder for the checkpoint, a file that is replaced as a whole. Default null: none is written.</summary>
    [DoesNotChangeResult]
    public string? CheckpointFolder { get; set; }

    /// <summary>The number of epochs between checkpoints; the last epoch always writes one. Default 1.</summary>
    [DoesNotChangeResult]
    public int CheckpointInterval { get; set; } = 1;

    /// <summary>
    /// Whether to go on from the checkpoint in <see cref="CheckpointFolder"/>; without one, training starts from the beginning.
    /// The weights come out bitwise the same as without the interruption. Default false.
    /// </summary>
    [DoesNotChangeResult]
    public bool ResumeFromCheckpoint { get; set; }

    /// <summary>Is told how training goes. Default null.</summary>
    [DoesNotChangeResult]
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>Cancels training within a batch; <c>Fit</c> then throws <see cref="OperationCanceledException"/>.</summary>
    [DoesNotChangeResult]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>
    /// A trained network of the same architecture, or a chain that ends in one, to start from instead of
    /// <see cref="Initialization"/>; an output layer for another number of classes starts anew. Default null.
    /// </summary>
    [DoesNotChangeResult]
    public ITransformer? InitialModel { get; set; }

    /// <summary>Which of several networks these are for, in words; null where there is one.</summary>
    internal string? Stage { get; set; }

    /// <summary>Draws a new network's weights.</summary>
    internal virtual void InitializeWeights(nn.Module network, ulong seed) => WeightInitializer.Initialize(network, Initialization, seed);

    /// <summary>How a network of these options is trained.</summary>
    internal virtual OptimizationSettings Optimization => new()
    {
        Optimizer = Optimizer,
        L1 = L1Regularization,
        L2 = L2Regularization,
        WeightDecay = WeightDecay,
        ClipNorm = GradientClipNorm,
        AverageDecay = EmaDecay,
        Precision = Precision,
    };

    /// <summary>Whether training may have no epochs: the network is trained already.</summary>
    private protected virtual bool StartsTrained => InitialModel != null;

    /// <summary>What an option of 0 epochs needs, in words.</summary>
    private protected virtual string TrainedStart => nameof(InitialModel);

    /// <summary>The seed of a training: the options' own, the context's, or a random one.</summary>
    internal int ChooseSeed(IHostEnvironment env) => Seed ?? ((IHostEnvironmentInternal)env).Seed ?? Random.Shared.Next();

    /// <summary>A copy that later changes of this object do not reach.</summary>
    internal virtual TrainingOptions Snapshot() => (TrainingOptions)MemberwiseClone();

    /// <exception cref="ArgumentException">An option is out of range; the message names it, its value, and what it may be.</exception>
    internal virtual void Check()
    {
        OptionCheck.Require(Epochs >= (StartsTrained ? 0 : 1), Epochs, nameof(Epochs), $"at least 1, or 0 with {TrainedStart}");
        OptionCheck.AtLeast(BatchSize, 1, nameof(BatchSize));
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
        OptionCheck.AtLeast(ThreadCount ?? 1, 1, nameof(ThreadCount));
        OptionCheck.AtLeast(CheckpointInterval, 1, nameof(CheckpointInterval));
        if (ResumeFromCheckpoint && CheckpointFolder == null)
            throw new ArgumentException($"{nameof(ResumeFromCheckpoint)} needs a {nameof(CheckpointFolder)} to go on from.", nameof(ResumeFromCheckpoint));
    }
}
