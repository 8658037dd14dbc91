namespace MLExtensions.Training.Data;

/// <summary>How labels and example weights of the data become those of the loss.</summary>
/// <param name="Mean">Subtracted from the label; 0 for classes.</param>
/// <param name="StandardDeviation">Divides the label; 1 for classes.</param>
/// <param name="ClassWeights">The weight of each class, or null.</param>
/// <param name="WeightFactor">Brings the mean weight of an epoch to 1, so that the learning rate keeps its meaning.</param>
/// <param name="HasExampleWeights">Whether rows have weights of their own.</param>
internal sealed record LabelScale(double Mean, double StandardDeviation, double[]? ClassWeights, double WeightFactor, bool HasExampleWeights)
{
    public static LabelScale Identity { get; } = new(0, 1, null, 1, false);

    public bool IsWeighted => HasExampleWeights || ClassWeights != null;

    public float Standardize(float label) => (float)((label - Mean) / StandardDeviation);

    public float Weigh(float label, float weight) =>
        (float)(weight * WeightFactor * (ClassWeights == null ? 1 : ClassWeights[(int)label]));
}
