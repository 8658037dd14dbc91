using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// One cycle: from LearningRate / <see cref="InitialDivisor"/> up to LearningRate, the peak, then down to the initial
/// rate / <see cref="FinalDivisor"/>; both along half a cosine wave.
/// </summary>
/// <remarks>Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates" (2018),
/// with torch's two phases; the momentum stays as it is.</remarks>
public sealed record OneCycleSchedule : LearningRateSchedule
{
    /// <summary>Share of training at which the peak is reached, in (0, 1). Default 0.3.</summary>
    public double PeakFraction { get; init; } = 0.3;

    /// <summary>What LearningRate is divided by at the beginning, at least 1. Default 25.</summary>
    public double InitialDivisor { get; init; } = 25;

    /// <summary>What the initial rate is divided by at the end, at least 1. Default 1e4.</summary>
    public double FinalDivisor { get; init; } = 1e4;

    private protected override double Shape(double elapsed, double total)
    {
        double initial = 1 / InitialDivisor;
        double progress = Progress(elapsed, total);
        return progress < PeakFraction
            ? Anneal(initial, 1, progress / PeakFraction)
            : Anneal(1, initial / FinalDivisor, (progress - PeakFraction) / (1 - PeakFraction));
    }

    private protected override void CheckShape()
    {
        OptionCheck.Require(
            PeakFraction > 0 && PeakFraction < 1,
            PeakFraction,
            $"{nameof(LearningRateSchedule)}.{nameof(PeakFraction)}",
            "greater than 0 and less than 1");
        CheckBetween(InitialDivisor, 1, double.MaxValue);
        CheckBetween(FinalDivisor, 1, double.MaxValue);
    }
}
