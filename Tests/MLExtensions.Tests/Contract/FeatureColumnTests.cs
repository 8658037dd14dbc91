using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>Features may be sparse, or a single number; the label's column is not needed to predict.</summary>
[TestClass]
public sealed class FeatureColumnTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Sparse_IsDense(string name)
    {
        var subject = Subjects.Get(name);
        var dense = subject.Rows(100).Select((row, i) => row.With(row.Features.DenseValues().Select((x, slot) => (slot + i) % 2 == 0 ? x : 0).ToArray())).ToArray();
        var sparse = dense.Select(Sparsify).ToArray();
        Assert.IsFalse(sparse[0].Features.IsDense);
        foreach (var buffering in Enum.GetValues<Buffering>())
        {
            var model = subject.Fit(dense, o => (o.Epochs, o.Buffering) = (2, buffering));
            Outcome.AssertSameBits(Outcome.Weights(model), Outcome.Weights(subject.Fit(sparse, o => (o.Epochs, o.Buffering) = (2, buffering))));
            Outcome.AssertSameBits(Outcome.Scores(model.Transform(Example.View(Ml, dense))), Outcome.Scores(model.Transform(Example.View(Ml, sparse))));
            Outcome.AssertSameBits(subject.Task.PredictRows(Ml, model, dense, subject.FeatureCount), subject.Task.PredictRows(Ml, model, sparse, subject.FeatureCount));
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void OneSingle_IsAFeatureColumn(string name)
    {
        var subject = Subjects.Get(name);
        if (!subject.TakesOneFeature)
            return;
        var rows = subject.Rows(300);
        foreach (var row in rows)
            row.Weight = (row.Target - 100) / 20;
        var data = Example.View(Ml, rows);
        var model = subject.CreateTrainer(Ml, subject.Options(o => o.FeatureColumnName = nameof(Example.Weight))).Fit(data);
        var scored = model.Transform(data);
        // Of three classes, one number tells two apart.
        Assert.IsGreaterThan(subject.Task == ContractTask.Multiclass ? 0.5 : 0.9, subject.Task.Quality(Ml, scored));
        Outcome.AssertClose(Outcome.Scores(scored), subject.Task.PredictRows(Ml, model, rows, subject.FeatureCount), 1e-6);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void PredictsWithoutALabelColumn(string name)
    {
        var subject = Subjects.Get(name);
        var model = subject.Fit(subject.Rows(60), o => o.Epochs = 1);
        var data = subject.View(Ml, 20);
        var bare = Ml.Transforms.SelectColumns(nameof(Example.Features)).Fit(data).Transform(data);
        Outcome.AssertSameBits(Outcome.Scores(model.Transform(data)), Outcome.Scores(model.Transform(bare)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void UnknownRowCountAndFile_SameBits(string name)
    {
        var subject = Subjects.Get(name);
        using var folder = new TemporaryFolder();
        var rows = subject.Rows(100);
        var data = Example.View(Ml, rows);
        using (var file = File.Create(folder.File("data.idv")))
            Ml.Data.SaveAsBinary(data, file);
        // A filter doesn't know how many rows it will let through.
        var filtered = Ml.Data.FilterRowsByColumn(data, nameof(Example.Target), double.NegativeInfinity, double.PositiveInfinity);
        Assert.IsNull(filtered.GetRowCount());
        var expected = Outcome.Weights(subject.Fit(rows, o => o.Epochs = 2));
        foreach (var other in new[] { filtered, Ml.Data.LoadFromBinary(folder.File("data.idv")), Ml.Data.Cache(data) })
            Outcome.AssertSameBits(expected, Outcome.Weights(subject.CreateTrainer(Ml, subject.Options(o => o.Epochs = 2)).Fit(other)));
    }

    private static Example Sparsify(Example row)
    {
        var copy = row.Copy();
        var entries = row.Features.Items().Where(item => item.Value != 0).ToArray();
        copy.Features = new VBuffer<float>(row.Features.Length, entries.Length, entries.Select(item => item.Value).ToArray(), entries.Select(item => item.Key).ToArray());
        return copy;
    }
}
