using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>The bfloat16 option on a wide network: its speed, and with MNIST what it costs in accuracy.</summary>
internal sealed class BFloat16Training : IBenchmark
{
    // Enough steps to time; an epoch's time is proportional to its rows.
    private const int TimedRows = 12_800;
    private const int Epochs = 5;
    private static readonly int[] Seeds = [1, 2];

    public string Name => "bfloat16";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        foreach (var threads in new[] { get_num_threads(), 1 }.Distinct())
            yield return MeasureSpeed(settings, threads);
        if (settings.MnistFolder != null)
            yield return MeasureAccuracy(settings);
    }

    private static ResultRow MeasureSpeed(BenchmarkSettings settings, int threads)
    {
        var trainer = new ImageTrainer();
        var images = settings.Training.Take(TimedRows);
        var data = images.ToDataView(trainer.Context);
        Contender Of(Precision precision) => new(precision.ToString().ToLowerInvariant(), () => trainer.SecondsOfEpochs(data, options =>
        {
            MakeWide(options, precision);
            options.ThreadCount = threads;
        }));
        var comparison = Timing.Compare(settings.Rounds, Of(Precision.BFloat16), Of(Precision.Float32));
        var row = Bound.Row($"bfloat16 against float32, 784-1024-1024-10, batch 128, {Threads.Text(threads)}", 1.5, comparison, "rows", images.Count);
        return row with { Details = $"{row.Details}; {BFloat16Instructions.Name ?? "this processor has no bfloat16 instructions"}" };
    }

    private static ResultRow MeasureAccuracy(BenchmarkSettings settings)
    {
        var trainer = new ImageTrainer();
        var training = settings.Training.ToDataView(trainer.Context);
        var test = MnistFiles.Read(settings.MnistFolder!, "t10k").ToDataView(trainer.Context);
        double MeanAccuracy(Precision precision) => Seeds.Average(seed =>
        {
            using var model = trainer.Fit(training, options =>
            {
                MakeWide(options, precision);
                options.Seed = seed;
                options.Epochs = Epochs;
                // Down to nothing: at a constant rate the accuracy jumps by more than the difference that is looked for.
                options.LearningRateSchedule = new CosineSchedule();
            });
            return 100 * trainer.Accuracy(model, test);
        });
        var full = MeanAccuracy(Precision.Float32);
        var half = MeanAccuracy(Precision.BFloat16);
        var details = FormattableString.Invariant($"float32 {full:F2} %, bfloat16 {half:F2} %, means of {Seeds.Length} seeds, {Epochs} epochs");
        return Bound.AtMost("points of MNIST test accuracy that bfloat16 costs", 0.2, full - half, "F2", details);
    }

    private static void MakeWide(MlpMulticlassTrainer.Options options, Precision precision)
    {
        options.HiddenLayers = [1024, 1024];
        options.Precision = precision;
    }
}
