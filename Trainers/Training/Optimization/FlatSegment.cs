namespace MLExtensions.Training;

/// <summary>A range of a flat tensor whose elements are updated alike.</summary>
/// <param name="Start">The first element.</param>
/// <param name="End">The element behind the last one.</param>
/// <param name="Regularization">What pulls the range towards zero; none for biases and normalisation.</param>
/// <param name="LearningRateFactor">Multiplies the learning rate, at least 0.</param>
internal readonly record struct FlatSegment(long Start, long End, Regularization Regularization, double LearningRateFactor = 1)
{
    /// <summary>The same segments, as few as will do: empty ones left out, neighbours that are alike made one.</summary>
    public static IReadOnlyList<FlatSegment> Merge(IEnumerable<FlatSegment> segments) =>
        Merge(segments, (a, b) => a.Regularization == b.Regularization && a.LearningRateFactor.Equals(b.LearningRateFactor));

    /// <summary>As few as will do where only the learning rate counts.</summary>
    public static IReadOnlyList<FlatSegment> MergeRates(IEnumerable<FlatSegment> segments) =>
        Merge(segments, (a, b) => a.LearningRateFactor.Equals(b.LearningRateFactor));

    private static List<FlatSegment> Merge(IEnumerable<FlatSegment> segments, Func<FlatSegment, FlatSegment, bool> alike)
    {
        var merged = new List<FlatSegment>();
        foreach (var segment in segments.Where(segment => segment.Start < segment.End))
        {
            if (merged.Count > 0 && alike(merged[^1], segment))
                merged[^1] = merged[^1] with { End = segment.End };
            else
                merged.Add(segment);
        }
        return merged;
    }
}
