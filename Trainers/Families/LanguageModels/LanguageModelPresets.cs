namespace MLExtensions.Families.LanguageModels;

/// <summary>Options with published or measured results.</summary>
internal static class LanguageModelPresets
{
    private const int Lanes = 20;

    /// <remarks>
    /// Plain gradient descent whose learning rate is roughly halved in each epoch after the first few. The paper and TensorFlow's tutorial
    /// sum the loss over the time steps of a window and average it over the parallel streams. Here it is averaged over both. To get the
    /// same updates, the learning rate is 1 times the number of time steps, and the clipping norm is divided by that number.
    /// </remarks>
    public static LanguageModelEstimator.Options Words(int hiddenUnits, int steps, double keep, double scale, int epochs, int epochsAtFullRate, double decay, double clip) => new()
    {
        Tokenization = Tokenization.Words(),
        HiddenUnits = hiddenUnits,
        WindowLength = steps,
        Dropout = 1 - keep,
        InitialScale = scale,
        ForgetBias = 0,
        BatchSize = Lanes,
        Epochs = epochs,
        Optimizer = new SgdOptimizer(),
        LearningRate = steps,
        LearningRateSchedule = LearningRateSchedule.Exponential(decay, staircase: true, holdEpochs: epochsAtFullRate - 1),
        GradientClipNorm = clip / steps,
    };

    public static LanguageModelEstimator.Options Characters() => new()
    {
        Tokenization = Tokenization.Characters(),
        HiddenUnits = 128,
        WindowLength = 50,
        BatchSize = 50,
        Epochs = 15,
        Dropout = 0.15,
        Optimizer = new AdamWOptimizer(),
        WeightDecay = 0.2,
        LearningRate = 0.004,
        LearningRateSchedule = LearningRateSchedule.Cosine(warmupEpochs: 0.5),
        GradientClipNorm = 1,
    };
}
