namespace MLExtensions;

/// <summary>Multiplies the learning rate by <see cref="Decay"/> at the end of every <see cref="StepEpochs"/> epochs.</summary>
public sealed record StepSchedule : LearningRateSchedule
{
    /// <summary>Epochs between two drops, greater than 0. Default 10.</summary>
    public double StepEpochs { get; init; } = 10;

    /// <summary>What a drop multiplies the rate by, in (0, 1]. Default 0.1.</summary>
    public double Decay { get; init; } = 0.1;

    private protected override double Shape(double elapsed, double total) => Math.Pow(Decay, Periods(elapsed, StepEpochs));

    private protected override void CheckShape()
    {
        CheckPositive(StepEpochs, double.MaxValue);
        CheckPositive(Decay, 1);
    }
}
