using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Stops training when the validation loss no longer falls, and gives back the weights of the best epoch (Prechelt, 1998).
/// </summary>
public sealed record EarlyStopping
{
    /// <summary>How many epochs in a row may pass without an improvement. Default 10 epochs.</summary>
    public int Patience { get; init; } = 10;

    /// <summary>By how much the validation loss must fall to count as an improvement. Default 0.</summary>
    public double MinimumDelta { get; init; }

    internal void Check()
    {
        OptionCheck.AtLeast(Patience, 1, "EarlyStopping.Patience");
        OptionCheck.NotNegative(MinimumDelta, "EarlyStopping.MinimumDelta");
    }
}
