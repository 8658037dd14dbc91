using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using TorchSharp;
using static MLExtensions.Tests.Lstm.SequenceModel;

namespace MLExtensions.Tests.Lstm;

/// <summary>Training and scoring of sequences of different lengths: repeatable, resumable, and without side effects.</summary>
[TestClass]
public sealed class SequenceTrainingTests
{
    private static long Live => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void SameSeed_SameBits(Buffering buffering)
    {
        float[] Train(int seed) => Outcome.Weights(Fit(SequenceRow.Random(200), options => Noisy(options, buffering, seed)));
        var first = Train(1);
        Outcome.AssertSameBits(first, Train(1));
        Assert.IsFalse(Outcome.SameBits(first, Train(2)));
    }

    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void Resumed_SameBitsAsInOneGo(Buffering buffering)
    {
        using var folder = new TemporaryFolder();
        BinaryNetworkTransformer Train(int epochs, string? checkpoints) => Fit(
            SequenceRow.Random(200),
            options =>
            {
                Noisy(options, buffering, 1);
                (options.Epochs, options.CheckpointFolder, options.ResumeFromCheckpoint) = (epochs, checkpoints, checkpoints != null);
            },
            Texts);
        Train(2, folder.Path).Dispose();
        Outcome.AssertSameBits(Outcome.Weights(Train(4, null)), Outcome.Weights(Train(4, folder.Path)));
    }

    /// <summary>A checkpoint of another treatment of long sequences is of another training.</summary>
    [TestMethod]
    public void Resumed_WithOtherOptions_IsRefused()
    {
        using var folder = new TemporaryFolder();
        void Train(Action<RecurrentOptions> change) => Fit(SequenceRow.Random(50), options =>
        {
            (options.CheckpointFolder, options.ResumeFromCheckpoint) = (folder.Path, true);
            change(options);
        }).Dispose();
        Train(options => options.MaximumLength = 5);
        Assert.Throws<Exception>(() => Train(options => (options.MaximumLength, options.Epochs) = (6, 3)));
        Assert.Throws<Exception>(() => Train(options => (options.MaximumLength, options.LongSequenceHandling, options.Epochs) = (5, LongSequenceHandling.KeepBeginning, 3)));
    }

    /// <summary>Batches of one length differ in rows; the mean over all of them must not.</summary>
    [TestMethod]
    public void ValidationLoss_IsWhatEvaluateFinds()
    {
        var validation = SequenceRow.View(Ml, SequenceRow.Random(300, seed: 3));
        using var model = Binary(Values, options => options.Epochs = 2).Fit(SequenceRow.View(Ml, SequenceRow.Random(100)), validation);
        var metrics = Ml.BinaryClassification.Evaluate(model.Transform(validation), nameof(SequenceRow.Flag));
        // ML.NET's log-loss is in bits.
        Assert.AreEqual(metrics.LogLoss * Math.Log(2), model.History.Epochs[^1].ValidationLoss!.Value, 1e-4);
        Assert.AreEqual(metrics.Accuracy, model.History.Epochs[^1].Validation["accuracy"], 1e-6);
    }

    [TestMethod]
    [DataRow(Values)]
    [DataRow(Texts)]
    [DataRow(Keys)]
    public void Columns_ComeThroughUnchanged(string features)
    {
        var rows = SequenceRow.Random(200, seed: 4);
        var data = ToKeys.Fit(SequenceRow.View(Ml, SequenceRow.Random(100))).Transform(SequenceRow.View(Ml, rows));
        using var model = Binary(features, options => (options.Epochs, options.MaximumLength) = (1, 3)).Fit(data);
        var scored = model.Transform(data);
        Assert.AreEqual(data.Schema[features].Type, scored.Schema[features].Type);
        var seen = Ml.Data.CreateEnumerable<SequenceRow>(scored, reuseRowObject: false).ToArray();
        CollectionAssert.AreEqual(rows.Select(row => row.Text).ToArray(), seen.Select(row => row.Text).ToArray());
        CollectionAssert.AreEqual(rows.SelectMany(row => row.Values).ToArray(), seen.SelectMany(row => row.Values).ToArray());
        CollectionAssert.AreEqual(rows.Select(row => row.Values.Length).ToArray(), seen.Select(row => row.Values.Length).ToArray());
        CollectionAssert.AreEqual(ReadKeys(data), ReadKeys(scored));
        CollectionAssert.AreEqual(rows.Select(row => row.Values.Length).ToArray(), ReadKeys(scored).Select(keys => keys.Split(' ').Length).ToArray());
    }

    [TestMethod]
    public void SeveralThreads_SameNumbers()
    {
        using var model = Fit(SequenceRow.Random(60), options => (options.Bidirectional, options.Pooling) = (true, SequencePooling.Attention), Texts);
        var rows = SequenceRow.Random(200, seed: 4);
        var expected = Scores(model, rows);
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            Outcome.AssertClose(expected, i % 2 == 0 ? Scores(model, rows) : ScoresOneByOne(model, rows), 1e-5));
    }

    [TestMethod]
    [DataRow(Values)]
    [DataRow(Texts)]
    public void TrainingAndScoring_LeaveNoTensors(string features)
    {
        var rows = SequenceRow.Random(200, 20);
        AssertNoGrowth(() => Fit(rows, options => Noisy(options, Buffering.InMemory, 1), features).Dispose());
        AssertNoGrowth(() => Fit(rows, options => Noisy(options, Buffering.Streaming, 1), features).Dispose());
        using var model = Fit(rows, options => Noisy(options, Buffering.InMemory, 1), features);
        AssertNoGrowth(() => Scores(model, rows));
    }

    /// <summary>PairwiseCoupling asks a model for one row at a time, in an older way.</summary>
    [TestMethod]
    public void OlderMapper_SameScore()
    {
        using var model = Fit(SequenceRow.Random(60, 8));
        var mapper = ((Microsoft.ML.Data.IValueMapper)model.Model).GetMapper<VBuffer<float>, float>();
        var rows = SequenceRow.Random(20, 12, seed: 3);
        var scores = rows.Select(row =>
        {
            var score = 0f;
            mapper(new VBuffer<float>(row.Values.Length, row.Values), ref score);
            return score;
        }).ToArray();
        Outcome.AssertClose(Scores(model, rows), scores, 1e-5);
    }

    private static void Noisy(RecurrentOptions options, Buffering buffering, int seed)
    {
        (options.Buffering, options.Seed, options.ShuffleBufferRows) = (buffering, seed, 50);
        (options.NumberOfLayers, options.Dropout, options.InputDropout, options.Bidirectional) = (2, 0.2, 0.1, true);
        options.ValidationFraction = 0.2;
    }

    private static string[] ReadKeys(IDataView data)
    {
        var keys = new List<string>();
        using var cursor = data.GetRowCursor([data.Schema[Keys]]);
        var getter = cursor.GetGetter<VBuffer<uint>>(data.Schema[Keys]);
        VBuffer<uint> buffer = default;
        while (cursor.MoveNext())
        {
            getter(ref buffer);
            keys.Add(string.Join(' ', buffer.DenseValues()));
        }
        return [.. keys];
    }

    private static void AssertNoGrowth(Action action)
    {
        action();
        var before = Live;
        for (var i = 0; i < 3; i++)
            action();
        Assert.AreEqual(before, Live);
    }
}
