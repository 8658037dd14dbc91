using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Mnist;

/// <summary>The multilayer perceptrons that the example mnist can train.</summary>
internal static class MnistPerceptrons
{
    public const string Book = "book";
    public const string Wide = "800";
    public const string Best = "best";

    public static IReadOnlyList<string> Names => [Book, Wide, Best];

    public static IReadOnlyList<NetworkTraining> Create(string model) => model switch
    {
        // TensorFlow's first tutorial stopped after 2,000 steps of 100 images: with a sixth of the images set aside
        // for validation, 4 epochs of 500 steps. Plain SGD has learned little by then. It needs far longer.
        Book =>
        [
            new("784-128-32-10, SGD, 2,000 steps", "book-short", CreateBook(epochs: 4, validationFraction: 1.0 / 6)),
            new("784-128-32-10, SGD, longer", "book-long", CreateBook(epochs: 60, validationFraction: 0)),
        ],
        Wide => [new("784-800-10, dropout", "800", CreateWide())],
        Best => [new("784-3x1024-10, batch normalization, dropout", "best", CreateBest())],
        _ => throw new ArgumentOutOfRangeException(nameof(model), model, "No such network."),
    };

    private static MlpMulticlassTrainer.Options CreateBook(int epochs, double validationFraction) => new()
    {
        HiddenLayers = [128, 32],
        Initialization = WeightInitialization.TruncatedNormal,
        Optimizer = new SgdOptimizer(),
        LearningRate = 0.01,
        BatchSize = 100,
        Epochs = epochs,
        ValidationFraction = validationFraction,
    };

    /// <summary>
    /// One hidden layer of 800 units and cross entropy: 1.6 % error for Simard, Steinkraus and Platt (2003). Dropout (Srivastava et
    /// al., 2014) trains another random half of the network in each step, which leaves it less room to memorize images.
    /// </summary>
    private static MlpMulticlassTrainer.Options CreateWide() => new()
    {
        HiddenLayers = [800],
        InputDropout = 0.2,
        Dropout = 0.5,
        Initialization = WeightInitialization.HeNormal,
        LearningRate = 0.003, // dropout's noise averages out, so larger steps pay
        LearningRateSchedule = LearningRateSchedule.Cosine(),
        BatchSize = 128,
        Epochs = 40,
    };

    /// <summary>All that helps a multilayer perceptron that sees each image only as it is.</summary>
    private static MlpMulticlassTrainer.Options CreateBest() => new()
    {
        HiddenLayers = [1024, 1024, 1024],
        BatchNormalization = true,
        InputDropout = 0.2,
        Dropout = 0.5,
        Initialization = WeightInitialization.HeNormal,
        Optimizer = new AdamWOptimizer(),
        WeightDecay = 0.01,
        LearningRate = 0.002,
        LearningRateSchedule = LearningRateSchedule.OneCycle(),
        EmaDecay = 0.999,
        BatchSize = 128,
        Epochs = 100,
    };
}
