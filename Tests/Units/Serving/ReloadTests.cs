using Microsoft.Extensions.Logging;

namespace MLExtensions.Tests.Serving;

[TestClass]
public sealed class ReloadTests
{
    [TestMethod]
    public async Task ReloadWhileAsked_FailsNoRequest()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.zip");
        ServedSample.Write(path);
        await using var predictor = BatchedPredictor.Load(path);
        var (first, second) = (ServedSample.Scores(1, 0)[0], ServedSample.Scores(1, 0, other: true)[0]);
        Assert.AreNotEqual(first, second, 1e-3f);
        using var end = new CancellationTokenSource();
        var asking = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            var answers = new List<float>();
            while (!end.IsCancellationRequested)
                answers.Add(BatchedPredictorTests.Floats(await predictor.PredictColumnsAsync(ServedSample.Columns(1, 0), 1))[0]);
            return answers;
        })).ToArray();
        for (var i = 1; i <= 6; i++)
        {
            ServedSample.Write(path, other: i % 2 == 1);
            await predictor.ReloadAsync();
        }
        await end.CancelAsync();
        foreach (var answer in (await Task.WhenAll(asking)).SelectMany(answers => answers))
            Assert.IsTrue(MathF.Abs(answer - first) < 1e-5f || MathF.Abs(answer - second) < 1e-5f, $"{answer} is neither {first} nor {second}");
        Assert.AreEqual(7, predictor.LoadCount);
    }

    [TestMethod]
    public async Task WatchedFile_IsReloaded_AndABrokenOneIsNot()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.zip");
        ServedSample.Write(path);
        var log = new ListLogger();
        await using var predictor = BatchedPredictor.Load(path, new() { WatchInterval = TimeSpan.FromMilliseconds(10) }, logger: log);
        File.WriteAllText(path, "not a model");
        await log.WaitForAsync(LogLevel.Error);
        CollectionAssert.AreEqual(ServedSample.Scores(1, 0), BatchedPredictorTests.Floats(await predictor.PredictColumnsAsync(ServedSample.Columns(1, 0), 1)), BatchedPredictorTests.Close);
        await Assert.ThrowsAsync<Exception>(() => predictor.ReloadAsync());
        ServedSample.Write(path, other: true);
        await log.WaitForAsync(LogLevel.Information, times: 2);
        for (var i = 0; predictor.LoadCount < 2 && i < 500; i++)
            await Task.Delay(10);
        CollectionAssert.AreEqual(ServedSample.Scores(1, 0, other: true), BatchedPredictorTests.Floats(await predictor.PredictColumnsAsync(ServedSample.Columns(1, 0), 1)), BatchedPredictorTests.Close);
    }

    private sealed class ListLogger : ILogger
    {
        private readonly List<LogLevel> _levels = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_levels)
                _levels.Add(logLevel);
        }

        public async Task WaitForAsync(LogLevel level, int times = 1)
        {
            for (var i = 0; i < 1500; i++)
            {
                lock (_levels)
                {
                    if (_levels.Count(each => each == level) >= times)
                        return;
                }
                await Task.Delay(10);
            }
            Assert.Fail($"{level} was not logged.");
        }
    }
}
