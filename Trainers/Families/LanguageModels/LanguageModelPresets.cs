namespace MLExtensions.Families.LanguageModels;

/// <summary>Options that are known to work.</summary>
internal static class LanguageModelPresets
{
    private const int Lanes = 20;

    /// <remarks>
    /// Plain gradient descent, whose rate is halved or so each epoch after the first few. The paper, and the TensorFlow tutorial that
    /// the book follows, sum the loss over a window's steps and take the mean over the lanes; here it is the mean over both, so their
    /// learning rate of 1 and their clipping are here times and divided by the number of steps: the updates are the same.
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
