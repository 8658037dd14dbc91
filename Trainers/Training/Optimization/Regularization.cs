namespace MLExtensions.Training;

/// <summary>What pulls weights towards zero.</summary>
/// <param name="L1">Added to the gradient times the weight's sign, at least 0.</param>
/// <param name="L2">Added to the gradient times the weight, at least 0.</param>
/// <param name="WeightDecay">Share of the weight, times the learning rate, that a step takes away beside the gradient
/// (decoupled, as AdamW's), at least 0.</param>
internal readonly record struct Regularization(double L1, double L2, double WeightDecay)
{
    public bool IsNone => this == default;

    public void Check()
    {
        OptionCheck.Between(L1, 0, float.MaxValue, nameof(L1));
        OptionCheck.Between(L2, 0, float.MaxValue, nameof(L2));
        OptionCheck.Between(WeightDecay, 0, float.MaxValue, nameof(WeightDecay));
    }
}
