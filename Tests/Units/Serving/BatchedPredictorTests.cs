using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.ML;

namespace MLExtensions.Tests.Serving;

[TestClass]
public sealed class BatchedPredictorTests
{
    // Nothing is scored before the block is full or the predictor is disposed.
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10);

    [TestMethod]
    public async Task Columns_AreThoseThatAreNeeded()
    {
        await using var predictor = Load(new());
        CollectionAssert.AreEqual(new[] { "Features: Single[2]" }, predictor.Inputs.Select(input => input.ToString()).ToArray()); // no Label
        CollectionAssert.AreEqual(new[] { "PredictedLabel: String", "Score: Single[2]" }, predictor.Outputs.Select(output => output.ToString()).Order().ToArray());
    }

    [TestMethod]
    public async Task ManyThreads_GetTheirOwnAnswers()
    {
        await using var predictor = Load(new() { Workers = 2, MaximumBlockRows = 7 });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                var (a, b) = (thread / 8f, i / 50f);
                var answer = await predictor.PredictRowsAsync<Point, PointAnswer>([new Point { Features = [a, b] }, new Point { Features = [b, a] }]);
                if (i % 25 != 0)
                    continue;
                CollectionAssert.AreEqual(ServedSample.Scores(a, b), answer[0].Score, Close);
                CollectionAssert.AreEqual(ServedSample.Scores(b, a), answer[1].Score, Close);
                Assert.AreEqual(answer[0].Score[0] >= answer[0].Score[1] ? "even" : "odd", answer[0].PredictedLabel);
            }
        })));
    }

    [TestMethod]
    public async Task RequestsThatArriveTogether_AreOneBlock()
    {
        var blocks = new List<int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Name == "mlextensions.serving.block.rows")
                own.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, rows, tags, _) =>
        {
            if (tags[0].Value as string == nameof(RequestsThatArriveTogether_AreOneBlock))
                blocks.Add(rows);
        });
        listener.Start();
        await using var predictor = Load(new() { Window = Long, MaximumBlockRows = 6 }, nameof(RequestsThatArriveTogether_AreOneBlock));
        var answers = Enumerable.Range(0, 4).Select(i => predictor.PredictColumnsAsync(ServedSample.Columns(0, i), 1)).Append(predictor.PredictColumnsAsync(ServedSample.Columns(0, 4, 0, 5), 2)).ToArray();
        await Task.WhenAll(answers);
        CollectionAssert.AreEqual(new[] { 6 }, blocks);
        for (var i = 0; i < 4; i++)
            CollectionAssert.AreEqual(ServedSample.Scores(0, i), Floats(answers[i].Result), Close);
        CollectionAssert.AreEqual((float[])[.. ServedSample.Scores(0, 4), .. ServedSample.Scores(0, 5)], Floats(answers[4].Result), Close);
    }

    [TestMethod]
    public async Task RequestsLargerThanABlockOfTheNetwork_AreReadToTheirEnd()
    {
        await using var predictor = Load(new());
        foreach (var rows in new[] { 2500, 1, 1024, 1500 })
        {
            var values = new float[rows * 2];
            values[^2] = 1;
            var scores = Floats(await predictor.PredictColumnsAsync(ServedSample.Columns(values), rows));
            Assert.HasCount(rows * 2, scores);
            CollectionAssert.AreEqual(ServedSample.Scores(1, 0), scores[^2..], Close);
            if (rows > 1)
                CollectionAssert.AreEqual(ServedSample.Scores(0, 0), scores[^4..^2], Close);
        }
    }

    [TestMethod]
    public async Task BadRow_FailsItsOwnRequestOnly()
    {
        await using var predictor = Load(new() { Window = Long, MaximumBlockRows = 4 });
        var good = predictor.PredictColumnsAsync(ServedSample.Columns(1, 0), 1);
        var bad = predictor.PredictColumnsAsync(ServedSample.Columns(0, 0, 0, float.NaN), 2);
        var alsoGood = predictor.PredictColumnsAsync(ServedSample.Columns(0, 1), 1);
        Assert.Contains("row 1", (await Assert.ThrowsExactlyAsync<FormatException>(() => bad)).Message);
        CollectionAssert.AreEqual(ServedSample.Scores(1, 0), Floats(await good), Close);
        CollectionAssert.AreEqual(ServedSample.Scores(0, 1), Floats(await alsoGood), Close);
    }

    [TestMethod]
    public async Task WrongColumns_AreNamed()
    {
        await using var predictor = Load(new());
        await Refused("'Features' is missing", 1);
        await Refused("no input column 'Feature'. Did you mean 'Features'?", 1, ColumnData.Of("Feature", 1f, 2f));
        await Refused("its values are Double; they must be Single", 1, ColumnData.Of("Features", 1.0, 2.0));
        await Refused("there are 3 values; 2 rows of 2 are 4", 2, ColumnData.Of("Features", 1f, 2f, 3f));
        await Refused("there twice", 1, ColumnData.Of("Features", 1f, 2f), ColumnData.Of("Features", 1f, 2f));
        await Refused("There are 0 rows", 0, ColumnData.Of<float>("Features"));
        await Refused("There are 9000 rows", 9000, ColumnData.Of("Features", new float[18000]));
        Assert.Contains("has 1 values", (await Assert.ThrowsAsync<ArgumentException>(() => predictor.PredictAsync<Point, PointAnswer>(new Point { Features = [1] }))).Message);
        Assert.Contains("no property 'Features'", (await Assert.ThrowsAsync<InvalidOperationException>(() => predictor.PredictAsync<PointAnswer, PointAnswer>(new PointAnswer()))).Message);
        Assert.Contains("'Features', which the model does not answer", (await Assert.ThrowsAsync<InvalidOperationException>(() => predictor.PredictAsync<Point, Point>(new Point()))).Message);

        async Task Refused(string message, int rows, params ColumnData[] columns) =>
            Assert.Contains(message, (await Assert.ThrowsAsync<ArgumentException>(() => predictor.PredictColumnsAsync(columns, rows))).Message);
    }

    [TestMethod]
    public async Task FullQueue_RefusesAndGoesOn()
    {
        var predictor = Load(new() { Window = Long, QueueCapacity = 3 });
        var waiting = Enumerable.Range(0, 3).Select(i => predictor.PredictColumnsAsync(ServedSample.Columns(0, i), 1)).ToArray();
        Assert.Contains("3 rows wait", (await Assert.ThrowsExactlyAsync<PredictionQueueFullException>(() => predictor.PredictColumnsAsync(ServedSample.Columns(0, 0), 1))).Message);
        await predictor.DisposeAsync(); // finishes what it took
        for (var i = 0; i < 3; i++)
            CollectionAssert.AreEqual(ServedSample.Scores(0, i), Floats(await waiting[i]), Close);
        await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => predictor.PredictColumnsAsync(ServedSample.Columns(0, 0), 1));
        await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => predictor.ReloadAsync());
        predictor.Dispose();
    }

    [TestMethod]
    public async Task TimeLimitAndCancellation_EndTheWaiting()
    {
        await using var predictor = Load(new() { Window = Long, TimeLimit = TimeSpan.FromMilliseconds(30) });
        Assert.Contains("within 0.03 s", (await Assert.ThrowsExactlyAsync<TimeoutException>(() => predictor.PredictColumnsAsync(ServedSample.Columns(0, 0), 1))).Message);
        using var canceled = new CancellationTokenSource();
        var asked = predictor.PredictColumnsAsync(ServedSample.Columns(0, 0), 1, canceled.Token);
        await canceled.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => asked);
    }

    [TestMethod]
    public async Task ModelWithoutSchema_IsRefusedWithAdvice()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        ml.Model.Save(ml.Transforms.CopyColumns("B", "A").Fit(ml.Data.LoadFromEnumerable([new { A = 1f }])), null, folder.File("model.zip"));
        Assert.Contains("data.Schema", Assert.ThrowsExactly<InvalidOperationException>(() => BatchedPredictor.Load(folder.File("model.zip"))).Message);
        await using var told = BatchedPredictor.Load(folder.File("model.zip"), new() { RowType = typeof(Single) });
        Assert.AreEqual("A: Single", told.Inputs.Single().ToString());
        Assert.Throws<FileNotFoundException>(() => BatchedPredictor.Load(folder.File("other.zip")));
        ServedSample.Write(folder.File("point.zip"));
        Assert.Contains("Did you mean 'Score'", Assert.Throws<ArgumentException>(() => BatchedPredictor.Load(folder.File("point.zip"), new() { OutputColumns = ["Scores"] })).Message);
        Assert.Contains("Workers", Assert.Throws<ArgumentException>(() => BatchedPredictor.Load(folder.File("point.zip"), new() { Workers = 0 })).Message);
    }

    [TestMethod]
    public async Task DependencyInjection_GivesPredictorsByName()
    {
        using var folder = new TemporaryFolder();
        ServedSample.Write(folder.File("a.zip"));
        ServedSample.Write(folder.File("b.zip"), other: true);
        await using var services = new ServiceCollection().AddNetworkModel("a", folder.File("a.zip")).AddNetworkModel("b", folder.File("b.zip")).BuildServiceProvider();
        Assert.AreSame(services.GetRequiredKeyedService<BatchedPredictor>("a"), services.GetRequiredService<BatchedPredictor>());
        var answer = await services.GetRequiredKeyedService<BatchedPredictor>("b").PredictAsync<Point, PointAnswer>(new Point { Features = [1, 0] });
        CollectionAssert.AreEqual(ServedSample.Scores(1, 0, other: true), answer.Score, Close);
    }

    [TestMethod]
    public async Task ApplicationStarts_LoadsModelsOrFails()
    {
        using var folder = new TemporaryFolder();
        ServedSample.Write(folder.File("a.zip"));
        await using var services = new ServiceCollection().AddNetworkModel("a", folder.File("a.zip")).AddNetworkModel("b", folder.File("b.zip")).BuildServiceProvider();
        var starts = services.GetServices<IHostedService>().ToArray();
        Assert.HasCount(2, starts);
        await starts[0].StartAsync(CancellationToken.None);
        File.Delete(folder.File("a.zip"));
        Assert.AreEqual(1, services.GetRequiredKeyedService<BatchedPredictor>("a").LoadCount);
        Assert.Contains("b.zip", (await Assert.ThrowsExactlyAsync<FileNotFoundException>(() => starts[1].StartAsync(CancellationToken.None))).Message);
    }

    internal static readonly System.Collections.IComparer Close = Comparer<float>.Create((a, b) => MathF.Abs(a - b) <= 1e-5f ? 0 : a.CompareTo(b));

    internal static float[] Floats(IReadOnlyList<ColumnData> answer) => answer.OfType<ColumnData<float>>().Single().Values.ToArray();

    private sealed class Single
    {
        public float A { get; set; }
    }

    private static BatchedPredictor Load(BatchedPredictorOptions options, string? name = null)
    {
        using var folder = new TemporaryFolder(); // the file is needed no longer
        ServedSample.Write(folder.File("model.zip"));
        return BatchedPredictor.Load(folder.File("model.zip"), options, name);
    }
}
