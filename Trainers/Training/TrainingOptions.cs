using Microsoft.ML;
using MLExtensions.Training;
using MLExtensions.Training.Engine;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// What can be set on every training, supervised or not. Values are checked when the trainer is created, which keeps a copy:
/// changing the options afterwards changes nothing.
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
    /// How many times the training data is gone through; 0 applies <see cref="InitialModel"/> or <see cref="InitialWeights"/> as they
    /// are. Default 50.
    /// </summary>
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

    /// <summary>
    /// The share of the training data that is set aside for validation, in [0, 1): drawn at random and stratified by class (streaming
    /// data row by row, not stratified), of text and of series the last part. Default 0. Not used when <c>Fit</c> is given validation data.
    /// </summary>
    public double ValidationFraction { get; set; }

    /// <summary>When to stop early; needs validation data. Default null: all epochs are trained.</summary>
    public EarlyStopping? EarlyStopping { get; set; }

    /// <summary>
    /// The decay of an exponential moving average of the weights, which then takes the place of the weights in validation and in
    /// the model (Polyak and Juditsky, 1992); at step n the decay is at most (1 + n) / (10 + n). Default null: no average.
    /// </summary>
    public double? WeightAverageDecay { get; set; }

    /// <summary>The seed of initialisation, shuffling, dropout and the validation split. Default null: the MLContext's, or a random one.</summary>
    public int? Seed { get; set; }

    /// <summary>Where to train: <c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:n</c>. Default <c>auto</c>: a GPU when there is one.</summary>
    public string Device { get; set; } = "auto";

    /// <summary>The number format of the computation. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; set; }

    /// <summary>The number of threads of the computation. Default null: one for a small network, else libtorch's own, one a core. Another number gives other last bits.</summary>
    public int? ThreadCount { get; set; }

    /// <summary>Whether training data is held in memory. Default <see cref="Buffering.InMemory"/>.</summary>
    public Buffering Buffering { get; set; }

    /// <summary>A folder for TensorBoard's event files. Default null: none are written.</summary>
    public string? TensorBoardFolder { get; set; }

    /// <summary>A folder for the checkpoint, a file that is replaced as a whole. Default null: none is written.</summary>
    public string? CheckpointFolder { get; set; }

    /// <summary>The number of epochs between checkpoints; the last epoch always writes one. Default 1.</summary>
    public int CheckpointEveryEpochs { get; set; } = 1;

    /// <summary>
    /// Whether to go on from the checkpoint in <see cref="CheckpointFolder"/>; without one, training starts from the beginning.
    /// The weights come out bitwise the same as without the interruption. Default false.
    /// </summary>
    public bool Resume { get; set; }

    /// <summary>Is told how training goes. Default null.</summary>
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>Cancels training within a batch; <c>Fit</c> then throws <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken CancellationToken { get; set; }

    /// <summary>
    /// A trained network of the same architecture, or a chain that ends in one, to start from instead of
    /// <see cref="Initialization"/>; an output layer for another number of classes starts anew. Default null.
    /// </summary>
    public ITransformer? InitialModel { get; set; }

    /// <summary>
    /// A safetensors file with weights to start from instead of <see cref="Initialization"/>, named as in
    /// <see cref="NetworkModelParameters.WeightShapes"/>: one of <see cref="NetworkModelParameters.SaveWeights"/>, or another
    /// program's, such as torchvision's for a network that has its names. 16- and 64-bit numbers become 32-bit ones. What was
    /// taken is in <see cref="TrainingHistory.InitialWeights"/>. Not together with <see cref="InitialModel"/>. Default null.
    /// </summary>
    public string? InitialWeights { get; set; }

    /// <summary>How well <see cref="InitialWeights"/> must fit the network. Default <see cref="WeightMatch.ExceptOutput"/>.</summary>
    public WeightMatch InitialWeightsMatch { get; set; }

    /// <summary>
    /// Layers that are not trained, by the beginnings of their parameters' names up to a dot or their end: <c>features</c>,
    /// <c>layer1.0</c> (<c>layer1</c> is no beginning of <c>layer10</c>). Their weights stay bit for bit what they were at the
    /// start, no gradients are computed for them, and batch normalisation in them uses its running statistics and leaves them
    /// alone. A name that does not exist is an exception. Default: none.
    /// </summary>
    public IReadOnlyList<string> FrozenLayers { get; set; } = [];

    /// <summary>Layers with a learning rate or regularisation of their own. A name that does not exist is an exception. Default: none.</summary>
    public IReadOnlyList<LayerRule> LayerRules { get; set; } = [];

    /// <summary>Which of several networks these are for, in words; null where there is one.</summary>
    internal string? Stage { get; set; }

    /// <summary>Draws a new network's weights.</summary>
    internal virtual void InitializeWeights(nn.Module network, ulong seed) => WeightInitializer.Initialize(network, Initialization, seed);

    /// <summary>A copy that later changes of this object do not reach.</summary>
    internal virtual TrainingOptions Snapshot()
    {
        var copy = (TrainingOptions)MemberwiseClone();
        copy.FrozenLayers = FrozenLayers.ToArray();
        copy.LayerRules = LayerRules.ToArray();
        return copy;
    }

    /// <exception cref="ArgumentException">An option is out of range; the message names it, its value, and what it may be.</exception>
    internal virtual void Check()
    {
        var startsTrained = InitialModel != null || InitialWeights != null;
        OptionCheck.Require(Epochs >= (startsTrained ? 0 : 1), Epochs, nameof(Epochs), $"at least 1, or 0 with {nameof(InitialModel)} or {nameof(InitialWeights)}");
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
        OptionCheck.Fraction(ValidationFraction, nameof(ValidationFraction));
        EarlyStopping?.Check();
        OptionCheck.Fraction(WeightAverageDecay ?? 0, nameof(WeightAverageDecay));
        TrainingDevice.Parse(Device);
        OptionCheck.Defined(Precision, nameof(Precision));
        OptionCheck.AtLeast(ThreadCount ?? 1, 1, nameof(ThreadCount));
        OptionCheck.Defined(Buffering, nameof(Buffering));
        OptionCheck.AtLeast(CheckpointEveryEpochs, 1, nameof(CheckpointEveryEpochs));
        if (Resume && CheckpointFolder == null)
            throw new ArgumentException($"{nameof(Resume)} needs a {nameof(CheckpointFolder)} to go on from.", nameof(Resume));
        CheckLayers();
        CheckInitialWeights();
    }

    /// <exception cref="ArgumentException">There is to be early stopping, and no validation data.</exception>
    internal void CheckValidation(IDataView? validation)
    {
        if (EarlyStopping != null && validation == null && ValidationFraction == 0)
            throw new ArgumentException($"{nameof(EarlyStopping)} needs validation data: set {nameof(ValidationFraction)}, or give validation data to Fit.");
    }

    private void CheckInitialWeights()
    {
        OptionCheck.Defined(InitialWeightsMatch, nameof(InitialWeightsMatch));
        if (InitialWeights == null)
            return;
        OptionCheck.NotEmpty(InitialWeights, nameof(InitialWeights));
        if (InitialModel != null)
            throw new ArgumentException($"{nameof(InitialWeights)} is '{InitialWeights}' and {nameof(InitialModel)} is set too; a network can start from one of them.", nameof(InitialWeights));
    }

    private void CheckLayers()
    {
        OptionCheck.NotNull(FrozenLayers, nameof(FrozenLayers));
        for (var i = 0; i < FrozenLayers.Count; i++)
            OptionCheck.NotEmpty(FrozenLayers[i], $"{nameof(FrozenLayers)}[{i}]");
        OptionCheck.NotNull(LayerRules, nameof(LayerRules));
        for (var i = 0; i < LayerRules.Count; i++)
        {
            OptionCheck.NotNull(LayerRules[i], $"{nameof(LayerRules)}[{i}]");
            LayerRules[i].Check($"{nameof(LayerRules)}[{i}]");
        }
        var twice = LayerRules.GroupBy(rule => rule.Layer).FirstOrDefault(group => group.Count() > 1)?.Key;
        if (twice != null)
            throw new ArgumentException($"{nameof(LayerRules)} has several rules for '{twice}'; a layer can have one.", nameof(LayerRules));
    }
}
