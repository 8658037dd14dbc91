using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using MLExtensions.Training;
using static MLExtensions.Tests.Data.TrainingDataSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Data;

/// <summary>Streamed rows are read on a thread of their own: nobody notices but by the time that it saves.</summary>
[TestClass]
public sealed class ReadAheadTests
{
    [TestMethod]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(32)]
    public void Buffers_ComeInTheirOrder_NeverMoreThanThereAre(int count)
    {
        const int Items = 2000;
        var (given, most, taken) = (0, 0, new List<int>());
        using (var ahead = Open(count, ahead => Count(ahead, Items, i => Volatile.Write(ref given, i + 1))))
        {
            while (ahead.TryTake(out var box))
            {
                most = Math.Max(most, Volatile.Read(ref given) - taken.Count);
                taken.Add(box.Value);
                if (taken.Count % 7 == 0)
                    Thread.Yield();
            }
            Assert.IsFalse(ahead.TryTake(out _), "the end stays the end");
        }
        CollectionAssert.AreEqual(Enumerable.Range(0, Items).ToArray(), taken);
        Assert.IsLessThanOrEqualTo(count, most);
    }

    [TestMethod]
    public void Exception_ComesAfterWhatWasFilledBefore_Unchanged()
    {
        var thrown = new FormatException("on purpose");
        using var ahead = Open(8, ahead => Count(ahead, 10, i =>
        {
            if (i == 5)
                throw thrown;
        }));
        for (var i = 0; i < 5; i++)
        {
            Assert.IsTrue(ahead.TryTake(out var box));
            Assert.AreEqual(i, box.Value);
        }
        Assert.AreSame(thrown, Assert.Throws<FormatException>(() => ahead.TryTake(out _)));
        Assert.Contains(nameof(Count), thrown.StackTrace!, "where it was thrown");
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(3)]
    public void EarlyEnd_EndsTheThread_AndThenFreesTheBuffers(int taken)
    {
        Thread? thread = null;
        var boxes = new List<Box>();
        var wasFreed = false;
        var ahead = Open(4, boxes, ahead =>
        {
            thread = Thread.CurrentThread;
            Count(ahead, int.MaxValue, _ => { });
            wasFreed = boxes.Any(box => box.IsFreed);
        });
        for (var i = 0; i < taken; i++)
            Assert.IsTrue(ahead.TryTake(out _));
        ahead.Dispose();
        Assert.IsFalse(thread!.IsAlive);
        Assert.IsFalse(wasFreed);
        Assert.IsTrue(boxes.TrueForAll(box => box.IsFreed));
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void BadRow_ComesAfterTheBatchesBefore(bool shuffle)
    {
        var rows = Numbered(100);
        rows[57] = rows[57].With(float.NaN, 0);
        var data = Example.View(Ml, rows);
        var source = new StreamingBatches<LabeledBatch>(data, Columns(data), 100, (_, _) => true, 10, Settings(10, shuffle), Labeled(), checksum: null);
        var batches = 0;
        var error = Assert.Throws<FormatException>(() =>
        {
            foreach (var batch in source.ReadEpoch(1))
            {
                batch.Dispose();
                batches++;
            }
        });
        Assert.Contains("row 57", error.Message);
        Assert.AreEqual(shuffle ? 4 : 5, batches); // ten rows wait in the shuffle buffer
    }

    [TestMethod]
    [DataRow("end")]
    [DataRow("cancelled")]
    [DataRow("handler")]
    [DataRow("diverged")]
    public void Fit_LeavesNoThreadAndNoCursor(string how)
    {
        using var cancel = new CancellationTokenSource();
        var source = new Watched(Example.View(Ml, Example.Create(2000)));
        void Fit() => Ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options
        {
            LabelColumnName = nameof(Example.Target),
            HiddenLayers = [4],
            Epochs = how == "end" ? 2 : 1000,
            BatchSize = 10,
            ThreadCount = 3,
            LearningRate = how == "diverged" ? 1e30 : 1e-3,
            Optimizer = how == "diverged" ? new SgdOptimizer() : new AdamOptimizer(),
            Buffering = Buffering.Streaming,
            ShuffleBufferRows = 50,
            CancellationToken = cancel.Token,
            Progress = new Handler(() =>
            {
                if (how == "cancelled")
                    cancel.Cancel();
                if (how == "handler")
                    throw new TimeoutException("on purpose");
            }),
        }).Fit(source).Dispose();
        switch (how)
        {
            case "end":
                Fit();
                break;
            case "cancelled":
                Assert.Throws<OperationCanceledException>(Fit);
                break;
            case "handler":
                Assert.Throws<TimeoutException>(Fit);
                break;
            default:
                Assert.Throws<TrainingDivergedException>(Fit);
                break;
        }
        Assert.AreEqual(0, source.Open);
        Assert.IsGreaterThan(0, source.Threads.Count(thread => thread != Thread.CurrentThread), "a thread of its own");
        Assert.IsTrue(source.Threads.Where(thread => thread != Thread.CurrentThread).All(thread => !thread.IsAlive));
        Assert.AreEqual(3, source.TorchThreads, "networks among the steps before compute as on the thread of the training");
    }

    private static ReadAhead<Box> Open(int count, Action<ReadAhead<Box>> fill) => Open(count, [], fill);

    private static ReadAhead<Box> Open(int count, List<Box> boxes, Action<ReadAhead<Box>> fill)
    {
        boxes.AddRange(Enumerable.Range(0, count).Select(_ => new Box()));
        return new ReadAhead<Box>(boxes, fill);
    }

    private static void Count(ReadAhead<Box> ahead, int items, Action<int> before)
    {
        for (var i = 0; i < items && ahead.NextFree() is { } box; i++)
        {
            before(i);
            box.Value = i;
            ahead.Give(box);
        }
    }

    private sealed class Box : IDisposable
    {
        public int Value { get; set; }

        public bool IsFreed { get; private set; }

        public void Dispose() => IsFreed = true;
    }

    private sealed class Handler(Action action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action();
    }

    /// <summary>Data that knows who reads it. (ML.NET's own cursors over an enumerable do not dispose its enumerator.)</summary>
    private sealed class Watched(IDataView source) : IDataView
    {
        private int _open;

        public int Open => _open;

        public HashSet<Thread> Threads { get; } = [];

        public int TorchThreads { get; private set; }

        public bool CanShuffle => false;

        public DataViewSchema Schema => source.Schema;

        public long? GetRowCount() => null;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        {
            Interlocked.Increment(ref _open);
            return new Cursor(source.GetRowCursor(columnsNeeded), this);
        }

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded)];

        private sealed class Cursor(DataViewRowCursor input, Watched view) : DataViewRowCursor
        {
            public override DataViewSchema Schema => input.Schema;

            public override long Position => input.Position;

            public override long Batch => input.Batch;

            public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

            public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

            public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => input.GetGetter<TValue>(column);

            public override bool MoveNext()
            {
                view.Threads.Add(Thread.CurrentThread);
                view.TorchThreads = get_num_threads();
                return input.MoveNext();
            }

            protected override void Dispose(bool disposing)
            {
                if (disposing)
                {
                    Interlocked.Decrement(ref view._open);
                    input.Dispose();
                }
                base.Dispose(disposing);
            }
        }
    }
}
