namespace MLExtensions.Benchmarks;

/// <summary>The engine's epochs against a hand-written loop on ready tensors.</summary>
internal sealed class TrainingThroughput : IBenchmark
{
    private const int EpochsPerRound = 2;

    public string Name => "training";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        yield return Measure(settings, batchSize: 128, threads: 1, floor: 1.3);
        yield return Measure(settings, batchSize: 128, threads: 2, floor: 1.0);
        yield return Measure(settings, batchSize: 1024, threads: 1, floor: null);
        yield return Measure(settings, batchSize: 1024, threads: 2, floor: null);
    }

    private static ResultRow Measure(BenchmarkSettings settings, int batchSize, int threads, double? floor)
    {
        var trainer = new ImageTrainer();
        var data = settings.Training.ToDataView(trainer.Context);
        using var loop = new HandWrittenLoop(settings.Training, ImageTrainer.SmallNetwork, batchSize);
        var comparison = Timing.Compare(
            settings.Rounds,
            new Contender("engine", () => trainer.SecondsOfEpochs(data, options =>
            {
                options.BatchSize = batchSize;
                options.ThreadCount = threads;
                options.Epochs = EpochsPerRound;
            })),
            Contender.Of("hand-written loop", () => loop.Run(EpochsPerRound, threads)));
        var what = $"training 784-128-32-10, Adam, batch {batchSize}, {Threads.Text(threads)}, against a hand-written loop";
        return Bound.Row(what, floor, comparison, "rows", (double)settings.Training.Count * EpochsPerRound);
    }
}
