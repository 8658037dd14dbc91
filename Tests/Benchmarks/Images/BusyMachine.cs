using System.Diagnostics;
using Microsoft.ML;

namespace MLExtensions.Benchmarks;

/// <summary>Training with default options beside processes that take the cores, against training on one thread.</summary>
internal sealed class BusyMachine : IBenchmark
{
    public const string ChildCommand = "take-a-core";

    private const int Images = 60;

    public string Name => "busy";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var images = settings.Training.Take(Images);
        var data = images.ToDataView(new MLContext(1));
        foreach (var processes in new[] { 0, 2, 8 })
        {
            var others = Enumerable.Range(0, processes).Select(_ => Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ChildCommand))!).ToArray();
            try
            {
                var comparison = Timing.Compare(
                    settings.Rounds,
                    new Contender("default", () => Seconds(data, null)),
                    new Contender("one thread", () => Seconds(data, 1)));
                yield return Bound.Row($"training LeNet-5 on {Images} images, default options, beside {processes} busy processes, against one thread", processes == 2 ? 0.8 : null, comparison, "images", 10 * Images);
            }
            finally
            {
                foreach (var other in others)
                {
                    other.Kill();
                    other.Dispose();
                }
            }
        }
    }

    /// <summary>Computes for ever.</summary>
    public static int RunChild()
    {
        var x = 1.0;
        while (x > 0)
            x = Math.Sqrt(x) + 1;
        return 0;
    }

    private static double Seconds(IDataView data, int? threads)
    {
        using var model = new MLContext(1).MulticlassClassification.Trainers.Cnn(new CnnMulticlassTrainer.Options
        {
            ImageShape = new ImageShape(1, 28, 28),
            Layers = CnnLayers.LeNet5(),
            Epochs = 10,
            ThreadCount = threads,
        }).Fit(data);
        return model.History.Epochs.Sum(epoch => epoch.Seconds);
    }
}
