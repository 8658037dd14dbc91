using MLExtensions.Tensors;
using Microsoft.ML;
using MLExtensions.Tests.Contract;
using MLExtensions.Training;
using static MLExtensions.Tests.Data.TrainingDataSample;

namespace MLExtensions.Tests.Data;

[TestClass]
public sealed class RowReaderTests
{
    [TestMethod]
    public void Labels_OfEveryKind()
    {
        var data = Example.View(Ml, Numbered(4));
        CollectionAssert.AreEqual(new float[] { 0, 1, 2, 3 }, Labels(data, Columns(data)));
        CollectionAssert.AreEqual(new float[] { 0, 1, 0, 1 }, Labels(data, Columns(data, nameof(Example.Flag), classes: 2)));
        CollectionAssert.AreEqual(new float[] { 0, 1, 2, 0 }, Labels(data, Columns(data, nameof(Example.Class), classes: 3)));
    }

    [TestMethod]
    public void MissingLabels_AreSkippedAndCounted()
    {
        var rows = Numbered(6);
        rows[0].Target = rows[3].Target = rows[5].Target = float.NaN;
        var data = Example.View(Ml, rows);
        using var reader = new RowReader(data, Columns(data));
        var features = new float[2];
        var seen = new List<float>();
        while (reader.MoveNext())
        {
            reader.ReadFeatures(features);
            Assert.AreEqual(reader.Label, features[0]);
            seen.Add(reader.Label);
        }
        CollectionAssert.AreEqual(new float[] { 1, 2, 4 }, seen);
        Assert.AreEqual(3, reader.SkippedRows);
    }

    [TestMethod]
    public void InfiniteLabel_IsNamed()
    {
        var rows = Numbered(6);
        rows[4].Target = float.NegativeInfinity;
        var data = Example.View(Ml, rows);
        Assert.Contains("'Target', row 4 (the first row is 0): the value is -Infinity", Assert.Throws<FormatException>(() => Labels(data, Columns(data))).Message);
    }

    [TestMethod]
    public void ValidationKeyBeyondTheClasses_IsNamed()
    {
        var data = Example.View(Ml, Numbered(6));
        Assert.Contains("'Class', row 2 (the first row is 0): the key is 3", Assert.Throws<FormatException>(() => Labels(data, Columns(data, nameof(Example.Class), classes: 2))).Message);
    }

    [TestMethod]
    public void WithoutFeatures_TheyAreNotTouched()
    {
        var rows = Numbered(3);
        rows[1] = rows[1].With(float.NaN, 0);
        var data = Example.View(Ml, rows);
        using var reader = new RowReader(data, Columns(data), withFeatures: false);
        var count = 0;
        while (reader.MoveNext())
            count++;
        Assert.AreEqual(3, count);
    }

    [TestMethod]
    public void TrainingRows_UnknownCount_GrowsAndKeepsEverything()
    {
        var data = Ml.Data.FilterRowsByColumn(Example.View(Ml, Numbered(5000)), nameof(Example.Target), double.NegativeInfinity, double.PositiveInfinity);
        Assert.IsNull(data.GetRowCount());
        var checks = 0;
        using var rows = TrainingRows.Read(data, Columns(data, weighted: true), null, () => checks++, out var counts);
        var skipped = counts[DataCounts.RowsWithoutLabel];
        Assert.AreEqual(5000, rows.Count);
        Assert.AreEqual(0, skipped);
        Assert.AreEqual(5000, checks, "rows are slow in some data: it is asked at each");
        for (var i = 0; i < 5000; i++)
        {
            CollectionAssert.AreEqual(new float[] { i, -i }, rows.Features[i].ToArray());
            Assert.AreEqual(i, rows.Labels![i][0]);
            Assert.AreEqual(i + 1, rows.Weights![i][0]);
        }
    }

    private static float[] Labels(IDataView data, TrainingColumns columns)
    {
        using var reader = new RowReader(data, columns);
        var labels = new List<float>();
        while (reader.MoveNext())
            labels.Add(reader.Label);
        return [.. labels];
    }
}
