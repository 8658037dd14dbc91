using MLExtensions.Training;

namespace MLExtensions.Tests.Training;

/// <summary>What the first rows tell of a training that will not learn.</summary>
[TestClass]
public sealed class FeatureScaleTests
{
    [TestMethod]
    public void ConstantFeatures_AreWarnedOfOnce_IfAllAre()
    {
        Assert.Contains("'Column' has the same values in all of the 3 rows that were looked at, in all of its slots, 0 to 1;", Warnings([[1, 2], [1, 2], [1, 2]]).Single());
        Assert.Contains("in its only slot;", Warnings([[0.5f], [0.5f]]).Single());
        Assert.IsEmpty(Warnings([[1, 2], [1, 3]]), "a constant beside features that vary does no harm");
        Assert.IsEmpty(Warnings([[1, 2]]), "one row");
    }

    [TestMethod]
    public void LargeFeatures_TheWorstIsNamed() =>
        Assert.Contains("slot 1: values are about 5E+03 in size, and 1 more slots are above 20.", Warnings([[100, 5000, 0.5f], [-100, -5000, 1]]).Single());

    private static List<string> Warnings(float[][] rows)
    {
        var warnings = new List<string>();
        var scale = new FeatureScale("Column", firstNumber: 0, warnings.Add);
        foreach (var row in rows)
            scale.Add(row, rows: 1);
        scale.Finish();
        scale.Finish();
        return warnings;
    }
}
