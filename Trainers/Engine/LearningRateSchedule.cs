using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>How the learning rate changes during training: a factor on the option LearningRate, after an optional linear warm-up.</summary>
/// <remarks>
/// Applied at every training step, not once per epoch. Serializable with System.Text.Json: <c>$type</c> names the schedule.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "$type")]
[JsonDerivedType(typeof(ConstantSchedule), "constant")]
[JsonDerivedType(typeof(StepSchedule), "step")]
[JsonDerivedType(typeof(ExponentialSchedule), "exponential")]
[JsonDerivedType(typeof(CosineSchedule), "cosine")]
[JsonDerivedType(typeof(OneCycleSchedule), "onecycle")]
[JsonDerivedType(typeof(LinearSchedule), "linear")]
public abstract record LearningRateSchedule
{
    /// <summary>The first factor of the warm-up: nearly zero, but the first training step still learns.</summary>
    private const double FirstFactor = 1e-3;

    private protected LearningRateSchedule()
    {
    }

    /// <summary>
    /// Number of warm-up epochs, in which the rate rises linearly from a thousandth of its initial value; may be fractional. The schedule
    /// itself and its epochs begin after the warm-up. Default 0: no warm-up.
    /// </summary>
    /// <remarks>Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour" (2017).</remarks>
    public double WarmupEpochs { get; init; }

    /// <summary>A constant learning rate.</summary>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static ConstantSchedule Constant(double warmupEpochs = 0) => new() { WarmupEpochs = warmupEpochs };

    /// <summary>Multiplies the rate by <paramref name="decay"/> every <paramref name="stepEpochs"/> epochs.</summary>
    /// <param name="stepEpochs">See <see cref="StepSchedule.StepEpochs"/>.</param>
    /// <param name="decay">See <see cref="StepSchedule.Decay"/>.</param>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static StepSchedule Step(double stepEpochs, double decay = 0.1, double warmupEpochs = 0) =>
        new() { StepEpochs = stepEpochs, Decay = decay, WarmupEpochs = warmupEpochs };

    /// <summary>Decays the rate smoothly by <paramref name="decay"/> per <paramref name="decayEpochs"/> epochs.</summary>
    /// <param name="decay">See <see cref="ExponentialSchedule.Decay"/>.</param>
    /// <param name="decayEpochs">See <see cref="ExponentialSchedule.DecayEpochs"/>.</param>
    /// <param name="staircase">See <see cref="ExponentialSchedule.Staircase"/>.</param>
    /// <param name="holdEpochs">See <see cref="ExponentialSchedule.HoldEpochs"/>.</param>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static ExponentialSchedule Exponential(
        double decay, double decayEpochs = 1, bool staircase = false, double holdEpochs = 0, double warmupEpochs = 0) =>
        new() { Decay = decay, DecayEpochs = decayEpochs, Staircase = staircase, HoldEpochs = holdEpochs, WarmupEpochs = warmupEpochs };

    /// <summary>Lowers the rate along a line.</summary>
    /// <param name="holdFraction">See <see cref="LinearSchedule.HoldFraction"/>.</param>
    /// <param name="minimumFactor">See <see cref="LinearSchedule.MinimumFactor"/>.</param>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static LinearSchedule Linear(double holdFraction = 0, double minimumFactor = 0, double warmupEpochs = 0) =>
        new() { HoldFraction = holdFraction, MinimumFactor = minimumFactor, WarmupEpochs = warmupEpochs };

    /// <summary>Lowers the rate along half a cosine wave.</summary>
    /// <param name="minimumFactor">See <see cref="CosineSchedule.MinimumFactor"/>.</param>
    /// <param name="warmupEpochs">See <see cref="WarmupEpochs"/>.</param>
    public static CosineSchedule Cosine(double minimumFactor = 0, double warmupEpochs = 0) =>
        new() { MinimumFactor = minimumFactor, WarmupEpochs = warmupEpochs };

    /// <summary>Raises the rate to LearningRate, then lowers it far below the initial rate.</summary>
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

    /// <summary>Returns the factor on the learning rate.</summary>
    /// <param name="epoch">The number of finished epochs: 0 at the first step, fractional within an epoch.</param>
    /// <param name="totalEpochs">
    /// The total number of epochs. Beyond it the factor keeps its last value, or keeps falling if the schedule has no end.
    /// </param>
    internal double Factor(double epoch, double totalEpochs)
    {
        if (epoch < WarmupEpochs)
            return Shape(0, totalEpochs - WarmupEpochs) * (FirstFactor + (1 - FirstFactor) * epoch / WarmupEpochs);
        return Shape(epoch - WarmupEpochs, totalEpochs - WarmupEpochs);
    }

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> for the first setting that is out of range.</summary>
    internal void Check(int epochs)
    {
        CheckBetween(WarmupEpochs, 0, epochs);
        CheckShape();
    }

    /// <summary>The factor after the warm-up; <paramref name="total"/> may be 0.</summary>
    private protected abstract double Shape(double elapsed, double total);

    private protected abstract void CheckShape();

    /// <summary>The fraction of the epochs that are done, in [0, 1].</summary>
    private protected static double Progress(double elapsed, double total) => elapsed < total ? elapsed / total : 1;

    /// <summary>Interpolates from <paramref name="start"/> to <paramref name="end"/> along half a cosine wave.</summary>
    private protected static double Anneal(double start, double end, double progress) =>
        end + (start - end) * (1 + Math.Cos(Math.PI * progress)) / 2;

    /// <summary>The number of whole periods that have passed, with a tolerance for the rounding of fractional epochs.</summary>
    private protected static double Periods(double elapsed, double period) => Math.Floor(elapsed / period + 1e-9);

    private protected static void CheckBetween(
        double value, double least, double greatest, [CallerArgumentExpression(nameof(value))] string name = "") =>
        OptionCheck.Between(value, least, greatest, $"{nameof(LearningRateSchedule)}.{name}");

    private protected static void CheckPositive(
        double value, double greatest, [CallerArgumentExpression(nameof(value))] string name = "") =>
        OptionCheck.Above(value, 0, greatest, $"{nameof(LearningRateSchedule)}.{name}");

    /// <summary>Returns the values as text.</summary>
    public sealed override string ToString() => RecordText.Of(GetType().Name, PrintMembers);
}

/// <summary>The learning rate is constant after the optional warm-up.</summary>
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
    /// <summary>Number of epochs between two drops, greater than 0. Default 10.</summary>
    public double StepEpochs { get; init; } = 10;

    /// <summary>The factor of a drop, in (0, 1]. Default 0.1.</summary>
    public double Decay { get; init; } = 0.1;

    private protected override double Shape(double elapsed, double total) => Math.Pow(Decay, Periods(elapsed, StepEpochs));

    private protected override void CheckShape()
    {
        CheckPositive(StepEpochs, double.MaxValue);
        CheckPositive(Decay, 1);
    }
}

/// <summary>Decays the learning rate exponentially, by <see cref="Decay"/> per <see cref="DecayEpochs"/> epochs.</summary>
public sealed record ExponentialSchedule : LearningRateSchedule
{
    /// <summary>The factor on the rate per <see cref="DecayEpochs"/>, in (0, 1]. Default 0.95.</summary>
    public double Decay { get; init; } = 0.95;

    /// <summary>The number of epochs in which the rate falls by <see cref="Decay"/>, greater than 0. Default 1.</summary>
    public double DecayEpochs { get; init; } = 1;

    /// <summary>
    /// Whether the rate falls only at the end of each <see cref="DecayEpochs"/>, not at every training step. Default false.
    /// </summary>
    public bool Staircase { get; init; }

    /// <summary>Number of epochs at the full rate before it begins to fall. Default 0.</summary>
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
    /// <summary>The final learning rate as a fraction of LearningRate, in [0, 1]. Default 0.</summary>
    public double MinimumFactor { get; init; }

    private protected override double Shape(double elapsed, double total) => Anneal(1, MinimumFactor, Progress(elapsed, total));

    private protected override void CheckShape() => CheckBetween(MinimumFactor, 0, 1);
}

/// <summary>Keeps the learning rate for a part of the training and then lowers it along a line until the end.</summary>
public sealed record LinearSchedule : LearningRateSchedule
{
    /// <summary>The fraction of the epochs after the warm-up during which the rate is kept, in [0, 1). Default 0.</summary>
    public double HoldFraction { get; init; }

    /// <summary>The final learning rate as a fraction of LearningRate, in [0, 1]. Default 0.</summary>
    public double MinimumFactor { get; init; }

    private protected override double Shape(double elapsed, double total)
    {
        var falling = Math.Max(0, (Progress(elapsed, total) - HoldFraction) / (1 - HoldFraction));
        return 1 - ((1 - MinimumFactor) * falling);
    }

    private protected override void CheckShape()
    {
        OptionCheck.Fraction(HoldFraction, $"{nameof(LearningRateSchedule)}.{nameof(HoldFraction)}");
        CheckBetween(MinimumFactor, 0, 1);
    }
}

/// <summary>
/// One cycle: the rate rises from LearningRate / <see cref="InitialDivisor"/> to its peak LearningRate, then falls to the initial rate /
/// <see cref="FinalDivisor"/>; both along half a cosine wave.
/// </summary>
/// <remarks>
/// Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates" (2018), with the two phases of
/// PyTorch. The momentum does not change.
/// </remarks>
public sealed record OneCycleSchedule : LearningRateSchedule
{
    /// <summary>The fraction of training after which the peak is reached, in (0, 1). Default 0.3.</summary>
    public double PeakFraction { get; init; } = 0.3;

    /// <summary>LearningRate is divided by this at the beginning, at least 1. Default 25.</summary>
    public double InitialDivisor { get; init; } = 25;

    /// <summary>The initial rate is divided by this at the end, at least 1. Default 1e4.</summary>
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
