using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>Scoring gives the same numbers however it is asked, and refuses what it cannot score.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class ScoringTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly SharedModels Models = new(name => Subjects.Training(name).Fit(Subjects.Training(name).Rows(100), o => o.Epochs = 2, noisy: true));

    [ClassCleanup]
    public static void DisposeModels() => Models.Dispose();

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void BlocksAndRows_SameNumbers(string name)
    {
        var (subject, model) = Fit(name);
        if (!subject.MapsRows)
            return;
        // More rows than a block has, and an odd rest.
        var data = subject.View(Ml, 1333, seed: 4);
        var blocks = subject.Values(model.Transform(data));
        var rows = RowByRow(subject, model, data);
        Outcome.AssertSameComputation(blocks, rows);
        if (subject.ComputesRowByRow)
            Outcome.AssertSameBits(blocks, rows);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void OtherColumns_StayWithTheirRows(string name)
    {
        var (subject, model) = Fit(name);
        var rows = subject.Rows(1333, seed: 4);
        var scored = model.Transform(Example.View(Ml, rows));
        CollectionAssert.AreEqual(rows.Select(row => row.Target).ToArray(), scored.GetColumn<float>(nameof(Example.Target)).ToArray());
        var seen = new List<float>();
        using var cursor = scored.GetRowCursor(scored.Schema);
        var getFeatures = cursor.GetGetter<VBuffer<float>>(scored.Schema[nameof(Example.Features)]);
        VBuffer<float> features = default;
        while (cursor.MoveNext())
        {
            getFeatures(ref features);
            seen.Add(features.GetItemOrDefault(0));
        }
        CollectionAssert.AreEqual(rows.Select(row => row.Features.GetItemOrDefault(0)).ToArray(), seen);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void CursorSet_EveryRowOnce(string name)
    {
        var (subject, model) = Fit(name);
        var scored = model.Transform(subject.View(Ml, 1333, seed: 4));
        var cursors = scored.GetRowCursorSet(scored.Schema, 3);
        var targets = new List<float>();
        foreach (var cursor in cursors)
        {
            using (cursor)
            {
                var getTarget = cursor.GetGetter<float>(scored.Schema[nameof(Example.Target)]);
                float target = 0;
                while (cursor.MoveNext())
                {
                    getTarget(ref target);
                    targets.Add(target);
                }
            }
        }
        CollectionAssert.AreEquivalent(scored.GetColumn<float>(nameof(Example.Target)).ToArray(), targets);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void SeveralThreadsOnOneModel_SameNumbers(string name)
    {
        var (subject, model) = Fit(name);
        var rows = subject.Rows(300, seed: 4);
        var expected = subject.Values(model.Transform(Example.View(Ml, rows)));
        Parallel.For(0, 6, new ParallelOptions { MaxDegreeOfParallelism = 6 }, i =>
        {
            var ml = new MLContext(i);
            var scores = i % 2 == 0 || !subject.MapsRows ? subject.Values(model.Transform(Example.View(ml, rows))) : subject.PredictRows(ml, model.Transformer, rows);
            Outcome.AssertSameComputation(expected, scores);
        });
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void WrongSize_IsRefusedByName(string name)
    {
        var (subject, model) = Fit(name);
        if (subject.TakesAnyLength)
            return;
        var wide = Example.View(Ml, Example.Create(5, subject.FeatureCount + 3));
        var error = Assert.Throws<Exception>(() => subject.Values(model.Transform(wide)));
        var message = Outcome.Messages(error);
        Assert.Contains(nameof(Example.Features), message);
        Assert.Contains((subject.FeatureCount + 3).ToString(), message);
        Assert.Contains(subject.FeatureCount.ToString(), message);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void WrongTypeOrNoColumn_IsRefusedByName(string name)
    {
        var (subject, model) = Fit(name);
        var data = subject.View(Ml, 5);
        var doubles = Ml.Transforms.Conversion.ConvertType(subject.InputColumn, outputKind: DataKind.Double).Fit(data).Transform(data);
        var none = Ml.Transforms.DropColumns(subject.InputColumn).Fit(data).Transform(data);
        Assert.Contains(subject.InputColumn, Outcome.Messages(Assert.Throws<Exception>(() => subject.Values(model.Transform(doubles)))));
        Assert.Contains(subject.InputColumn, Outcome.Messages(Assert.Throws<Exception>(() => subject.Values(model.Transform(none)))));
        Assert.Contains(subject.InputColumn, Outcome.Messages(Assert.Throws<Exception>(() => model.Transformer.GetOutputSchema(none.Schema))));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void NotANumber_IsRefusedByColumnAndRow(string name)
    {
        var (subject, model) = Fit(name);
        if (subject.TakesAnyValue)
            return;
        var rows = subject.Rows(100);
        rows[70] = subject.Spoil(rows[70], 2, float.NaN);
        var message = Outcome.Messages(Assert.Throws<Exception>(() => subject.Values(model.Transform(Example.View(Ml, rows)))));
        Assert.Contains($"{subject.PlaceOf(70, 2)}: the value is NaN", message);
        if (!subject.MapsRows)
            return;
        message = Outcome.Messages(Assert.Throws<Exception>(() => subject.PredictRows(Ml, model.Transformer, rows[70..71])));
        Assert.Contains($"{subject.PlaceOf(0, 2)}: the value is NaN", message);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void NoRows_NoScores(string name)
    {
        var (subject, model) = Fit(name);
        Assert.IsEmpty(subject.Values(model.Transform(Example.View(Ml, [], subject.FeatureCount))));
    }

    /// <summary>Whatever a reader needs of the scored view, it may need nothing else: neither a score nor the other columns that the scores come from.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void EachColumnAlone_CanBeRead(string name)
    {
        var (subject, model) = Fit(name);
        var scored = model.Transform(subject.View(Ml, 5));
        foreach (var column in scored.Schema.Where(column => !column.IsHidden))
        {
            using var cursor = scored.GetRowCursor([column]);
            Assert.IsTrue(cursor.MoveNext(), column.Name);
        }
    }

    private static float[] RowByRow(TrainingSubject subject, TrainedModel model, IDataView data)
    {
        var mapper = model.Transformer.GetRowToRowMapper(data.Schema);
        using var cursor = data.GetRowCursor(data.Schema);
        using var row = mapper.GetRow(cursor, mapper.OutputSchema.Where(column => subject.ValueColumns.Contains(column.Name)));
        var columns = Array.ConvertAll(subject.ValueColumns, name => row.Schema[name]);
        var values = new List<float>();
        while (cursor.MoveNext())
        {
            foreach (var column in columns)
            {
                if (column.Type is VectorDataViewType)
                    values.AddRange(Read<VBuffer<float>>(row, column).DenseValues());
                else
                    values.Add(Read<float>(row, column));
            }
        }
        return [.. values];
    }

    private static T Read<T>(DataViewRow row, DataViewSchema.Column column)
    {
        T value = default!;
        row.GetGetter<T>(column)(ref value);
        return value;
    }

    private static (TrainingSubject Subject, TrainedModel Model) Fit(string name) => (Subjects.Training(name), Models.Get(name));
}
