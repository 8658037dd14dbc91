namespace MLExtensions;

/// <summary>Lowers the learning rate along half a cosine wave, from the end of the warm-up to the end of training.</summary>
/// <remarks>Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017); without restarts.</remarks>
public sealed record CosineSchedule : LearningRateSchedule
{
    /// <summary>Share of the learning rate that is left at the end, in [0, 1]. Default 0.</summary>
    public double MinimumFactor { get; init; }

    private protected override double Shape(double elapsed, double total) => Anneal(1, MinimumFactor, Progress(elapsed, total));

    private protected override void CheckShape() => CheckBetween(MinimumFactor, 0, 1);
}
