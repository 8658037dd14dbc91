using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Boltzmann;

/// <summary>The stack of RBMs that dbn-mnist trains without labels, and the perceptron that starts from it.</summary>
internal static class DbnNetworks
{
    public const int DefaultPretrainingEpochs = 15;
    public const int DefaultEpochs = 50;
    public const int DefaultEpochsOfFewLabels = 300;
    public const string HiddenColumn = "Hidden";
    private const string PixelColumn = "Features";

    // Pretraining, about as in Hinton's "A Practical Guide to Training Restricted Boltzmann Machines" (2010).
    private const int PretrainingBatchSize = 100;
    private const double PretrainingLearningRate = 0.1;
    private const double PretrainingMomentum = 0.5;
    private const double PretrainingL2 = 2e-4;

    // Fine-tuning.
    private const int BatchSize = 100;
    private const double LearningRate = 0.0005;
    private const double InputDropout = 0.1;
    private const double Dropout = 0.25;

    private static readonly IReadOnlyList<RbmLayer> Layers = [500, 500, 2000];

    private static Optimizer CreateOptimizer() => new AdamOptimizer();

    public static string Describe() => $"784-{string.Join('-', Layers.Select(layer => layer.Units))}";

    public static RbmEstimator.Options CreateStack(int epochs, int? threads) => new()
    {
        InputColumnName = PixelColumn,
        OutputColumnName = HiddenColumn,
        HiddenLayers = Layers,
        Epochs = epochs,
        BatchSize = PretrainingBatchSize,
        LearningRate = PretrainingLearningRate,
        Optimizer = new SgdOptimizer { Momentum = PretrainingMomentum },
        L2Regularization = PretrainingL2,
        ThreadCount = threads,
    };

    /// <summary>A perceptron of the stack's layers that starts from its weights.</summary>
    public static NetworkTraining CreatePretrained(RbmTransformer stack, int epochs, int? threads)
    {
        var options = CreatePerceptron(stack.ToHiddenLayers(), epochs, threads);
        options.InitialModel = stack;
        return new("pretrained without labels", "pretrained", options);
    }

    /// <summary>The same perceptron, its weights initialized randomly.</summary>
    public static NetworkTraining CreatePlain(int epochs, int? threads) =>
        new("the same network, not pretrained", "plain", CreatePerceptron([.. Layers.Select(layer => new HiddenLayer(layer.Units) { Activation = Activation.Sigmoid })], epochs, threads));

    private static MlpMulticlassTrainer.Options CreatePerceptron(IReadOnlyList<HiddenLayer> layers, int epochs, int? threads) => new()
    {
        HiddenLayers = layers,
        InputDropout = InputDropout,
        Dropout = Dropout,
        Optimizer = CreateOptimizer(),
        LearningRate = LearningRate,
        LearningRateSchedule = LearningRateSchedule.Cosine(),
        BatchSize = BatchSize,
        Epochs = epochs,
        ThreadCount = threads,
    };
}
