using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// How the learning rate changes while training: a factor on the option LearningRate, after an optional linear warm-up.
/// </summary>
/// <remarks>Applied at every step, not once an epoch. Serialisable with System.Text.Json: <c>$type</c> names the
/// schedule.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "$type")]
[JsonDerivedType(typeof(ConstantSchedule), "constant")]
[JsonDerivedType(typeof(StepSchedule), "step")]
[JsonDerivedType(typeof(ExponentialSchedule), "exponential")]
[JsonDerivedType(typeof(CosineSchedule), "cosine")]
[JsonDerivedType(typeof(OneCycleSchedule), "onecycle")]
public abstract record LearningRateSchedule
{
    /// <summary>Where the warm-up begins: nearly zero, yet the first step learns.</summary>
    private const double FirstFactor = 1e-3;

    private protected LearningRateSchedule()
    {
    }

    /// <summary>
    /// Epochs over which the rate first rises linearly from (a thousandth of) its initial value; may be fractional. The
    /// schedule itself, and its epochs, begin when the warm-up ends. Default 0: none.
    /// </summary>
    /// <remarks>Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour" (2017).</remarks>
    public double WarmupEpochs { get; init; }

    /// <summary>The learning rate as it is.</summary>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static ConstantSchedule Constant(double warmupEpochs = 0) => new() { WarmupEpochs = warmupEpochs };

    /// <summary>Multiplies the rate by <paramref name="decay"/> every <paramref name="stepEpochs"/> epochs.</summary>
    /// <param name="stepEpochs">See <see cref="StepSchedule.StepEpochs"/>.</param>
    /// <param name="decay">See <see cref="StepSchedule.Decay"/>.</param>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static StepSchedule Step(double stepEpochs, double decay = 0.1, double warmupEpochs = 0) =>
        new() { StepEpochs = stepEpochs, Decay = decay, WarmupEpochs = warmupEpochs };

    /// <summary>Multiplies the rate by <paramref name="decay"/> in the course of every <paramref name="decayEpochs"/> epochs.</summary>
    /// <param name="decay">See <see cref="ExponentialSchedule.Decay"/>.</param>
    /// <param name="decayEpochs">See <see cref="ExponentialSchedule.DecayEpochs"/>.</param>
    /// <param name="staircase">See <see cref="ExponentialSchedule.Staircase"/>.</param>
    /// <param name="holdEpochs">See <see cref="ExponentialSchedule.HoldEpochs"/>.</param>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static ExponentialSchedule Exponential(
        double decay, double decayEpochs = 1, bool staircase = false, double holdEpochs = 0, double warmupEpochs = 0) =>
        new() { Decay = decay, DecayEpochs = decayEpochs, Staircase = staircase, HoldEpochs = holdEpochs, WarmupEpochs = warmupEpochs };

    /// <summary>Lowers the rate along half a cosine wave.</summary>
    /// <param name="minimumFactor">See <see cref="CosineSchedule.MinimumFactor"/>.</param>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static CosineSchedule Cosine(double minimumFactor = 0, double warmupEpochs = 0) =>
        new() { MinimumFactor = minimumFactor, WarmupEpochs = warmupEpochs };

    /// <summary>Raises the rate to LearningRate, then lowers it far below where it began.</summary>
    /// <param name="peakFraction">See <see cref="OneCycleSchedule.PeakFraction"/>.</param>
    /// <param name="initialDivisor">See <see cref="OneCycleSchedule.InitialDivisor"/>.</param>
    /// <param name="finalDivisor">See <see cref="OneCycleSchedule.FinalDivisor"/>.</param>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static OneCycleSchedule OneCycle(
        double peakFraction = 0.3, double initialDivisor = 25, double finalDivisor = 1e4, double warmupEpochs = 0) =>
        new()
        {
            PeakFraction = peakFraction,
            InitialDivisor = initialDivisor,
            FinalDivisor = finalDivisor,
            WarmupEpochs = warmupEpochs,
        };

    /// <summary>What the learning rate is multiplied by.</summary>
    /// <param name="epoch">Epochs done, 0 at the first step, fractional within an epoch.</param>
    /// <param name="totalEpochs">Epochs to be done in all; beyond them the factor stays what it is at their end, or goes on
    /// falling where the schedule has no end.</param>
    internal double Factor(double epoch, double totalEpochs)
    {
        if (epoch < WarmupEpochs)
            return Shape(0, totalEpochs - WarmupEpochs) * (FirstFactor + (1 - FirstFactor) * epoch / WarmupEpochs);
        return Shape(epoch - WarmupEpochs, totalEpochs - WarmupEpochs);
    }

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> naming the first setting outside its range.</summary>
    internal void Check(int epochs)
    {
        CheckBetween(WarmupEpochs, 0, epochs);
        CheckShape();
    }

    /// <summary>The factor after the warm-up; <paramref name="total"/> may be 0.</summary>
    private protected abstract double Shape(double elapsed, double total);

    private protected abstract void CheckShape();

    /// <summary>Share of the epochs that is done, in [0, 1].</summary>
    private protected static double Progress(double elapsed, double total) => elapsed < total ? elapsed / total : 1;

    /// <summary>From <paramref name="start"/> to <paramref name="end"/> along half a cosine wave.</summary>
    private protected static double Anneal(double start, double end, double progress) =>
        end + (start - end) * (1 + Math.Cos(Math.PI * progress)) / 2;

    /// <summary>Whole periods that have passed, with slack for the rounding of fractional epochs.</summary>
    private protected static double Periods(double elapsed, double period) => Math.Floor(elapsed / period + 1e-9);

    private protected static void CheckBetween(
        double value, double least, double greatest, [CallerArgumentExpression(nameof(value))] string name = "") =>
        OptionCheck.Between(value, least, greatest, $"{nameof(LearningRateSchedule)}.{name}");

    private protected static void CheckPositive(
        double value, double greatest, [CallerArgumentExpression(nameof(value))] string name = "") =>
        OptionCheck.Above(value, 0, greatest, $"{nameof(LearningRateSchedule)}.{name}");
}

/// <summary>The learning rate stays what the option says, after the warm-up if there is one.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    private protected override double Shape(double elapsed, double total) => 1;

    private protected override void CheckShape()
    {
    }
}

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

/// <summary>Lowers the learning rate along half a cosine wave, from the end of the warm-up to the end of training.</summary>
/// <remarks>Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017); without restarts.</remarks>
public sealed record CosineSchedule : LearningRateSchedule
{
    /// <summary>Share of the learning rate that is left at the end, in [0, 1]. Default 0.</summary>
    public double MinimumFactor { get; init; }

    private protected override double Shape(double elapsed, double total) => Anneal(1, MinimumFactor, Progress(elapsed, total));

    private protected override void CheckShape() => CheckBetween(MinimumFactor, 0, 1);
}

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
        var initial = 1 / InitialDivisor;
        var progress = Progress(elapsed, total);
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
