namespace MLExtensions;

/// <summary>Multiplies the learning rate by <see cref="Decay"/> in the course of every <see cref="DecayEpochs"/> epochs.</summary>
public sealed record ExponentialSchedule : LearningRateSchedule
{
    /// <summary>What the rate is multiplied by per <see cref="DecayEpochs"/>, in (0, 1]. Default 0.95.</summary>
    public double Decay { get; init; } = 0.95;

    /// <summary>Epochs that <see cref="Decay"/> is for, greater than 0. Default 1.</summary>
    public double DecayEpochs { get; init; } = 1;

    /// <summary>Whether the rate falls at the end of each <see cref="DecayEpochs"/> only, not at every step. Default false.</summary>
    public bool Staircase { get; init; }

    /// <summary>Epochs at the full rate before it begins to fall. Default 0.</summary>
    public double HoldEpochs { get; init; }

    private protected override double Shape(double elapsed, double total)
    {
        var falling = Math.Max(0, elapsed - HoldEpochs);
        return Math.Pow(Decay, Staircase ? Periods(falling, DecayEpochs) : falling / DecayEpochs);
    }

    private protected override void CheckShape()
    {
        CheckPositive(Decay, 1);
        CheckPositive(DecayEpochs, double.MaxValue);
        CheckBetween(HoldEpochs, 0, double.MaxValue);
    }
}
