using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Onnx;

/// <summary>Data of many blocks: whole ones, some rows of them, and those that end early.</summary>
[TestClass]
public sealed class LongDataTests
{
    private const int Rows = 12_000; // blocks have up to 1,024
    private static readonly MLContext Ml = new(1);
    private static readonly SharedModels Models = new(name => Subjects.Training(name).Fit(Subjects.Training(name).Rows(60), options => options.Epochs = 1));

    [ClassCleanup]
    public static void DisposeModels() => Models.Dispose();

    [TestMethod]
    [DataRow("MlpMulticlass")]
    [DataRow("LstmRegression")]
    [DataRow("Autoencoder")]
    [DataRow("Forecast")]
    public void LongData_SameNumbers(string name)
    {
        var (subject, model) = (Subjects.Training(name), Models.Get(name));
        var data = subject.View(Ml, Rows, seed: 3);
        var scored = model.Transform(data);
        var runtime = subject.Values(scored);
        Outcome.AssertSameBits(runtime, subject.Values(scored));
        CollectionAssert.AreEqual(data.GetColumn<float>(nameof(Example.Target)).ToArray(), scored.GetColumn<float>(nameof(Example.Target)).ToArray());
        model.Transformer.SetScoring(new ScoringOptions { Engine = ScoringEngine.LibTorch });
        Exported.AssertClose(subject.Values(model.Transform(data)), runtime);
        model.Transformer.SetScoring(new ScoringOptions());
    }

    /// <summary>Scores that are asked for here and there belong to their rows, whichever blocks were skipped.</summary>
    [TestMethod]
    public void ScoresOfSomeRows_AreTheirs()
    {
        var (subject, model) = (Subjects.Get("MlpRegression"), Models.Get("MlpRegression"));
        var data = subject.View(Ml, Rows, seed: 3);
        var scored = model.Transform(data);
        var all = Outcome.Scores(scored);
        var random = new Random(TestSeed.Of(1));
        foreach (var wanted in new Func<int, bool>[] { row => row % 977 == 0, row => row / 1024 % 2 == 0, row => row / 2048 % 2 == 0, row => row > 5000, _ => random.Next(700) == 0 })
        {
            using var cursor = scored.GetRowCursor(scored.Schema);
            var getter = cursor.GetGetter<float>(scored.Schema["Score"]);
            for (var row = 0; cursor.MoveNext(); row++)
            {
                if (!wanted(row))
                    continue;
                var score = 0f;
                getter(ref score);
                Assert.AreEqual(all[row], score, $"row {row}");
            }
        }
    }

    /// <summary>A row that cannot be read is named as ever, and what was before its block could be had.</summary>
    [TestMethod]
    public void BadRow_IsNamed()
    {
        var (subject, model) = (Subjects.Get("MlpRegression"), Models.Get("MlpRegression"));
        var rows = subject.Rows(Rows, seed: 3);
        rows[9000] = subject.Spoil(rows[9000], 2, float.NaN);
        var message = Assert.Throws<FormatException>(() => Outcome.Scores(model.Transform(Example.View(Ml, rows)))).Message;
        Assert.Contains("row 9000 (the first row is 0), slot 2", message);
    }

    /// <summary>Whoever stops in the middle may dispose cursor and model in any order.</summary>
    [TestMethod]
    public void StoppedInTheMiddle_NothingBreaks()
    {
        var subject = Subjects.Get("CnnMulticlass");
        var data = subject.View(Ml, Rows, seed: 3);
        for (var round = 0; round < 12; round++)
        {
            var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
            var scored = model.Transform(data);
            var cursor = scored.GetRowCursor(scored.Schema);
            var getter = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
            var score = default(VBuffer<float>);
            for (var row = 0; row < 2000 + (500 * round) && cursor.MoveNext(); row++)
                getter(ref score);
            if (round % 3 == 0)
                model.Dispose();
            if (round % 3 != 2)
                cursor.Dispose();
            model.Dispose();
        }
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [TestMethod]
    public void DisposedModel_IsSaidAtTheNextBlock()
    {
        var subject = Subjects.Get("MlpRegression");
        var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        var scored = model.Transform(subject.View(Ml, Rows, seed: 3));
        using var cursor = scored.GetRowCursor(scored.Schema);
        var getter = cursor.GetGetter<float>(scored.Schema["Score"]);
        Assert.Throws<ObjectDisposedException>(() =>
        {
            var score = 0f;
            for (var row = 0; cursor.MoveNext(); row++)
            {
                if (row == 4000)
                    model.Dispose();
                getter(ref score);
            }
        });
    }
}
