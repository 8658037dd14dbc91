using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>Features may be sparse, or a single number; columns that are not read, such as a label, are not needed to predict.</summary>
[TestClass]
public sealed class FeatureColumnTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void Sparse_IsDense(string name)
    {
        var subject = Subjects.Training(name);
        if (!subject.ReadsVectors)
            return;
        var dense = subject.Rows(100).Select((row, i) => row.With(row.Features.DenseValues().Select((x, slot) => (slot + i) % 2 == 0 ? x : 0).ToArray())).ToArray();
        var sparse = dense.Select(Sparsify).ToArray();
        Assert.IsFalse(sparse[0].Features.IsDense);
        foreach (var buffering in subject.Bufferings)
        {
            var model = subject.Fit(dense, o => (o.Epochs, o.Buffering) = (2, buffering));
            Outcome.AssertSameBits(Outcome.Weights(model), Outcome.Weights(subject.Fit(sparse, o => (o.Epochs, o.Buffering) = (2, buffering))));
            Outcome.AssertSameBits(subject.Values(model.Transform(Example.View(Ml, dense))), subject.Values(model.Transform(Example.View(Ml, sparse))));
            Outcome.AssertSameBits(subject.PredictRows(Ml, model.Transformer, dense), subject.PredictRows(Ml, model.Transformer, sparse));
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void OneSingle_IsAFeatureColumn(string name)
    {
        var subject = Subjects.Training(name);
        if (!subject.TakesOneFeature)
            return;
        var rows = subject.Rows(300);
        foreach (var row in rows)
            row.Weight = subject.FeatureOf((row.Target - 100) / 20);
        var data = Example.View(Ml, rows);
        var model = subject.Fit(subject.CreateEstimator(Ml, subject.Options(o => subject.SetFeatureColumn(o, nameof(Example.Weight)))), data);
        var scored = model.Transform(data);
        // Of three classes, one number tells two apart.
        if (subject is Subject trainer)
            Floor.Above(trainer.Task == ContractTask.Multiclass ? 0.5 : 0.85, subject.Quality(Ml, scored), name);
        Outcome.AssertSameComputation(subject.Values(scored), subject.PredictRows(Ml, model.Transformer, rows));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void PredictsWithoutColumnsThatAreNotRead(string name)
    {
        var subject = Subjects.Training(name);
        var model = subject.Fit(subject.Rows(60), o => o.Epochs = 1);
        var data = subject.View(Ml, 20);
        var bare = Ml.Transforms.SelectColumns(subject.InputColumns).Fit(data).Transform(data);
        Outcome.AssertSameBits(subject.Values(model.Transform(data)), subject.Values(model.Transform(bare)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void UnknownRowCountAndFile_SameBits(string name)
    {
        var subject = Subjects.Training(name);
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
            Outcome.AssertSameBits(expected, Outcome.Weights(subject.Fit(subject.CreateEstimator(Ml, subject.Options(o => o.Epochs = 2)), other)));
    }

    private static Example Sparsify(Example row)
    {
        var copy = row.Copy();
        var entries = row.Features.Items().Where(item => item.Value != 0).ToArray();
        copy.Features = new VBuffer<float>(row.Features.Length, entries.Length, entries.Select(item => item.Value).ToArray(), entries.Select(item => item.Key).ToArray());
        return copy;
    }
}
