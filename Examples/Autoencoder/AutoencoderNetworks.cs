namespace MLExtensions.Examples.Autoencoder;

/// <summary>The autoencoder of the paper for MNIST, and the RBMs that it starts from.</summary>
internal static class AutoencoderNetworks
{
    private const int BatchSize = 100;
    private const double PretrainingLearningRate = 0.1;
    private const double LatentLearningRate = 0.001; // of linear units, as in the paper
    private const double PretrainingMomentum = 0.5;
    private const double PretrainingL2 = 2e-4;
    private const double LearningRate = 0.001;
    private static readonly int[] HiddenUnits = [1000, 500, 250];

    public static string Describe(int latentSize) => $"784-{string.Join('-', HiddenUnits)}-{latentSize}";

    public static RbmEstimator.Options CreateStack(int latentSize, int epochs, int? threads, IProgress<TrainingProgress> progress, CancellationToken cancellationToken) => new()
    {
        OutputColumnName = "Latent",
        HiddenLayers = [.. HiddenUnits.Select(units => new RbmLayer(units)), new RbmLayer(latentSize) { Type = HiddenUnitType.Gaussian, LearningRate = LatentLearningRate }],
        Epochs = epochs,
        BatchSize = BatchSize,
        LearningRate = PretrainingLearningRate,
        Optimizer = new SgdOptimizer { Momentum = PretrainingMomentum },
        L2Regularization = PretrainingL2,
        ThreadCount = threads,
        Progress = progress,
        CancellationToken = cancellationToken,
    };

    /// <summary>The RBMs unrolled; without them, the same network with random weights.</summary>
    public static AutoencoderEstimator.Options CreateAutoencoder(RbmTransformer? stack, int latentSize, int epochs, int? threads, IProgress<TrainingProgress> progress, CancellationToken cancellationToken) => new()
    {
        OutputColumnName = "Latent",
        InitialModel = stack,
        HiddenLayers = HiddenUnits,
        LatentSize = latentSize,
        Activation = Activation.Sigmoid,
        Epochs = epochs,
        BatchSize = BatchSize,
        LearningRate = LearningRate,
        LearningRateSchedule = LearningRateSchedule.Cosine(),
        ThreadCount = threads,
        Progress = progress,
        CancellationToken = cancellationToken,
    };
}
