namespace MLExtensions.Benchmarks;

/// <summary>All of Fit, reading included, against a hand-written loop that finds its tensors ready.</summary>
internal sealed class WholeFit : IBenchmark
{
    private const int Epochs = 5;

    public string Name => "fit";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var trainer = new ImageTrainer();
        var data = settings.Training.ToDataView(trainer.Context);
        using var loop = new HandWrittenLoop(settings.Training, ImageTrainer.SmallNetwork, batchSize: 128);
        foreach (var threads in new[] { 1, 2 })
        {
            var comparison = Timing.Compare(
                settings.Rounds,
                Contender.Of("Fit", () => trainer.Fit(data, options => (options.Epochs, options.ThreadCount) = (Epochs, threads)).Dispose()),
                Contender.Of("hand-written loop", () => loop.Run(Epochs, threads)));
            var what = $"whole Fit of {Epochs} epochs with reading, {Threads.Text(threads)}, against {Epochs} epochs on ready tensors";
            yield return Bound.Row(what, 1.0, comparison, "rows", (double)settings.Training.Count * Epochs);
        }
    }
}
