using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Scoring;

/// <summary>A view that reads ahead looks just like the view behind it.</summary>
[TestClass]
public sealed class LookAheadTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(32)]
    [DataRow(33)]
    [DataRow(2500)]
    public void RowsIdsAndPositions_AreTheSame(int count)
    {
        var source = Example.View(Ml, Example.Create(count), width: 6);
        var ahead = new LookAheadDataView(source, nameof(Example.Features));
        CollectionAssert.AreEqual(Read(source), Read(ahead));
        CollectionAssert.AreEqual(Read(source, new Random(3)), Read(ahead, new Random(3)));
        Assert.AreEqual(source.GetRowCount(), ahead.GetRowCount());
        Assert.AreEqual(source.CanShuffle, ahead.CanShuffle);
    }

    [TestMethod]
    public void WithoutTheFeatureColumn_NothingIsReadAhead()
    {
        var rows = Example.Create(100);
        rows[50] = rows[50].With(float.NaN, 0, 0, 0, 0, 0);
        var ahead = new LookAheadDataView(Example.View(Ml, rows), nameof(Example.Features));
        CollectionAssert.AreEqual(rows.Select(row => row.Target).ToArray(), ahead.GetColumn<float>(nameof(Example.Target)).ToArray());
    }

    [TestMethod]
    public void FirstRows_NeedTheFirstBlockOnly()
    {
        var rows = Example.Create(100);
        rows[50] = rows[50].With(float.NaN, 0, 0, 0, 0, 0);
        var ahead = new LookAheadDataView(Example.View(Ml, rows), nameof(Example.Features));
        Assert.HasCount(5, Ml.Data.TakeRows(ahead, 5).GetColumn<float[]>(nameof(Example.Features)).ToArray());
        Assert.Contains("row 50", Assert.Throws<FormatException>(() => ahead.GetColumn<float[]>(nameof(Example.Features)).Count()).Message);
    }

    [TestMethod]
    public void Getters_OfInactiveOrWronglyTypedColumns_AreRefused()
    {
        var ahead = new LookAheadDataView(Example.View(Ml, Example.Create(3)), nameof(Example.Features));
        using var cursor = ahead.GetRowCursor([ahead.Schema[nameof(Example.Features)]]);
        Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<float>(ahead.Schema[nameof(Example.Target)]));
        Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<float>(ahead.Schema[nameof(Example.Features)]));
        var getter = cursor.GetGetter<VBuffer<float>>(ahead.Schema[nameof(Example.Features)]);
        VBuffer<float> features = default;
        Assert.Throws<InvalidOperationException>(() => getter(ref features));
        Assert.AreEqual(-1, cursor.Position);
    }

    private static string[] Read(IDataView view, Random? random = null)
    {
        using var cursor = view.GetRowCursor(view.Schema, random);
        var getFeatures = cursor.GetGetter<VBuffer<float>>(view.Schema[nameof(Example.Features)]);
        var getTarget = cursor.GetGetter<float>(view.Schema[nameof(Example.Target)]);
        var getId = cursor.GetIdGetter();
        var (features, target, id) = (default(VBuffer<float>), 0f, default(DataViewRowId));
        var rows = new List<string>();
        while (cursor.MoveNext())
        {
            getFeatures(ref features);
            getTarget(ref target);
            getId(ref id);
            rows.Add($"{cursor.Position} {cursor.Batch} {id} {target} {string.Join(' ', features.DenseValues())}");
        }
        return [.. rows];
    }
}
