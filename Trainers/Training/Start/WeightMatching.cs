using MLExtensions.Persistence;
using MLExtensions.Training.Engine;

namespace MLExtensions.Training.Start;

/// <summary>Whether weights and a network match as well as an option asks.</summary>
internal static class WeightMatching
{
    public static bool Satisfies(this WeightComparison comparison, WeightMatch match, string outputLayer) => match switch
    {
        WeightMatch.Partial => comparison.Report.Loaded.Count > 0,
        WeightMatch.Strict => comparison.HasSameNames && comparison.OtherShape.Count == 0,
        _ => comparison.HasSameNames && comparison.OtherShape.All(other => other.FirstDimensionOnly && LayerNames.IsBelow(other.Name, outputLayer)),
    };
}
