using System.Collections;
using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Data that is read several times must be in every pass what it was in the first.</summary>
[TestClass]
public sealed class PassTests
{
    private const int Rows = 40;

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void RowsThatComeOnce_AreRefused(string name)
    {
        if (ReadsAgain(name))
            Assert.Contains($"training data gave {Rows} rows in pass 1 and 0 in pass 2", Refusal(name, (rows, pass) => pass == 1 ? rows : []));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void FewerOrMoreRowsInTheSecondPass_AreRefused(string name)
    {
        if (!ReadsAgain(name))
            return;
        Assert.Contains($"gave {Rows} rows in pass 1 and 30 in pass 2", Refusal(name, (rows, pass) => pass == 1 ? rows : rows[..30]));
        Assert.Contains($"gave 30 rows in pass 1 and at least 31 in pass 2", Refusal(name, (rows, pass) => pass == 1 ? rows[..30] : rows));
    }

    /// <summary>The first passes agree: the last of them is in the middle of the training.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void OtherRowsInTheMiddle_AreRefused(string name)
    {
        if (!Subjects.Training(name).TakesStreaming || Subjects.Training(name).KeepsTokens)
            return;
        Assert.Contains($"gave {Rows} rows in pass 1 and 20 in pass 3", Refusal(name, (rows, pass) => pass < 3 ? rows : rows[..20]));
        Assert.Contains("other values of column", Refusal(name, (rows, pass) => pass < 3 ? rows : [.. rows[1..], rows[2]]));
    }

    /// <summary>A text is what its order makes it; of other rows the order decides only which of them are held out.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void OtherOrder_IsRefusedWhereItMatters(string name)
    {
        if (!ReadsAgain(name))
            return;
        static Example[] Turn(Example[] rows, int pass) => pass == 1 ? rows : [.. rows[(pass % rows.Length)..], .. rows[..(pass % rows.Length)]];
        var error = Assert.Throws<InvalidOperationException>(() => Train(name, Turn, o => o.ValidationFraction = 0.3));
        Assert.IsTrue(error.Message.Contains("another order") || error.Message.Contains("other values"), error.Message);
        if (!name.StartsWith("LanguageModel", StringComparison.Ordinal))
            Train(name, Turn, _ => { }).Dispose();
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void ValidationRowsThatComeOnce_AreRefused(string name)
    {
        var subject = Subjects.Training(name);
        if (!subject.TakesStreaming || subject.KeepsTokens)
            return;
        var ml = new MLContext(1);
        var trainer = subject.CreateEstimator(ml, subject.Options(o => (o.Epochs, o.Buffering) = (3, Buffering.Streaming)));
        var error = Assert.Throws<InvalidOperationException>(() => subject.Fit(trainer, subject.View(ml, Rows), View(ml, subject, (rows, pass) => pass < 2 ? rows : [])));
        Assert.Contains($"validation data gave {Rows} rows in pass 1 and 0 in pass 2", error.Message);
    }

    /// <summary>In memory one pass does.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void InMemory_RowsMayComeOnce(string name)
    {
        var subject = Subjects.Training(name);
        if (subject.KeepsTokens)
            return;
        var ml = new MLContext(1);
        var once = new TrainedModel(subject.CreateEstimator(ml, subject.Options(o => o.Epochs = 2)).Fit(View(ml, subject, (rows, pass) => pass == 1 ? rows : [])));
        Outcome.AssertSameBits(Outcome.Weights(subject.Fit(subject.Rows(Rows), o => o.Epochs = 2)), Outcome.Weights(once));
    }

    /// <summary>No data is read before the row that cancels is known to be one too many.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void Cancelling_IsNoticedAtTheNextRow(string name)
    {
        var subject = Subjects.Training(name);
        foreach (var buffering in subject.Bufferings)
        {
            for (var cancelledPass = 1; cancelledPass <= (buffering == Buffering.InMemory ? 1 : 2); cancelledPass++)
            {
                using var cancel = new CancellationTokenSource();
                var after = 0;
                IEnumerable<Example> Read(Example[] rows, int pass)
                {
                    foreach (var row in rows)
                    {
                        after += cancel.IsCancellationRequested ? 1 : 0;
                        if (pass == cancelledPass && row == rows[3])
                            cancel.Cancel();
                        yield return row;
                    }
                }
                var ml = new MLContext(1);
                var trainer = subject.CreateEstimator(ml, subject.Options(o => (o.Epochs, o.Buffering, o.CancellationToken) = (2, buffering, cancel.Token)));
                Assert.ThrowsExactly<OperationCanceledException>(() => trainer.Fit(View(ml, subject, Read)));
                Assert.IsLessThanOrEqualTo(1, after, $"rows that were read afterwards, {buffering}");
            }
        }
    }

    /// <summary>In memory only text is read twice: first for its vocabulary.</summary>
    private static bool ReadsAgain(string name) => Subjects.Training(name).TakesStreaming;

    private static string Refusal(string name, Func<Example[], int, IEnumerable<Example>> rowsOf) =>
        Assert.Throws<InvalidOperationException>(() => Train(name, rowsOf, _ => { })).Message;

    private static TrainedModel Train(string name, Func<Example[], int, IEnumerable<Example>> rowsOf, Action<DataTrainingOptions> change)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var options = subject.Options(o => (o.Epochs, o.Buffering) = (3, Buffering.Streaming));
        change(options);
        return new TrainedModel(subject.CreateEstimator(ml, options).Fit(View(ml, subject, rowsOf)));
    }

    private static IDataView View(MLContext ml, TrainingSubject subject, Func<Example[], int, IEnumerable<Example>> rowsOf)
    {
        var rows = subject.Rows(Rows);
        return ml.Data.LoadFromEnumerable(new Passes(pass => rowsOf(rows, pass)), Example.Schema(subject.FeatureCount));
    }

    /// <summary>Gives each pass its own rows.</summary>
    private sealed class Passes(Func<int, IEnumerable<Example>> rowsOf) : IEnumerable<Example>
    {
        private int _passes;

        public IEnumerator<Example> GetEnumerator() => rowsOf(++_passes).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
