using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// How the parameters of a part of a network are trained, where that differs from the rest: a smaller learning rate for
/// pretrained layers, or another regularisation.
/// </summary>
/// <param name="Layer">
/// Which: the beginning of the parameters' names up to a dot or their end, such as <c>features</c> or <c>layer1.0</c>
/// (<c>layer1</c> is no beginning of <c>layer10</c>). Where several rules fit a parameter, the longest one alone holds.
/// </param>
public sealed record LayerRule(string Layer)
{
    /// <summary>Multiplies the learning rate; greater than 0. Default 1.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>
    /// Takes the place of <see cref="TrainingOptions.L2Regularization"/>; biases and normalisation are left out here too.
    /// Default null: the trainer's.
    /// </summary>
    public double? L2Regularization { get; init; }

    /// <summary>
    /// Takes the place of <see cref="TrainingOptions.WeightDecay"/>; biases and normalisation are left out here too.
    /// Default null: the trainer's.
    /// </summary>
    public double? WeightDecay { get; init; }

    internal void Check(string option)
    {
        OptionCheck.NotEmpty(Layer, $"{option}.{nameof(Layer)}");
        OptionCheck.Positive(LearningRateFactor, $"{option}.{nameof(LearningRateFactor)}");
        OptionCheck.NotNegative(L2Regularization ?? 0, $"{option}.{nameof(L2Regularization)}");
        OptionCheck.NotNegative(WeightDecay ?? 0, $"{option}.{nameof(WeightDecay)}");
    }
}
