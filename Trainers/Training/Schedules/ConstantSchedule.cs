namespace MLExtensions;

/// <summary>The learning rate stays what the option says, after the warm-up if there is one.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    private protected override double Shape(double elapsed, double total) => 1;

    private protected override void CheckShape()
    {
    }
}
