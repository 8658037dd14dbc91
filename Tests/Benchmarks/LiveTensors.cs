using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>Counts the tensors alive after many trainings and predictions.</summary>
internal sealed class LiveTensors : IBenchmark
{
    private const int Fits = 20;
    private const int Predictions = 10_000;

    // The network that is trained, and the one that the model keeps.
    private const int ModulesPerFit = 2;

    public string Name => "tensors";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var images = settings.Training.Take(1000);
        FitAndPredict(images, fits: 1, dispose: true);
        var work = $"after {Fits} fits and {Predictions} predictions";
        yield return Measure($"tensors alive {work}, models disposed", images, dispose: true);
        yield return Measure($"tensors alive {work}, models left to the garbage collector", images, dispose: false);
    }

    private static ResultRow Measure(string what, ImageSet images, bool dispose)
    {
        var miscounted = Fits * ModulesPerFit * MiscountedPerModule();
        Timing.CollectGarbage();
        var before = Tensor.TotalCount;
        FitAndPredict(images, Fits, dispose);
        var beforeCollection = Tensor.TotalCount - before - miscounted;
        // ML.NET leaves the rows of a prediction engine to the garbage collector.
        Timing.CollectGarbage();
        var left = Tensor.TotalCount - before - miscounted;
        const string Signed = "+0;-0;0";
        return Bound.AtMost(what, 0, left, Signed, $"{beforeCollection.ToString(Signed)} before a garbage collection; {miscounted} that TorchSharp miscounts are left out");
    }

    /// <summary>TorchSharp counts a parameter twice when a module makes it, and once when it is disposed.</summary>
    private static long MiscountedPerModule()
    {
        var before = Tensor.TotalCount;
        HandWrittenLoop.CreateNetwork(ImageTrainer.SmallNetwork).Dispose();
        return Tensor.TotalCount - before;
    }

    private static void FitAndPredict(ImageSet images, int fits, bool dispose)
    {
        var trainer = new ImageTrainer();
        var data = images.ToDataView(trainer.Context);
        var prediction = new ImagePrediction();
        for (var fit = 0; fit < fits; fit++)
        {
            var model = trainer.Fit(data, _ => { });
            var engine = trainer.Context.Model.CreatePredictionEngine<ImageRow, ImagePrediction>(model);
            for (var i = 0; i < Predictions / fits; i++)
                engine.Predict(images.Rows[i % images.Count], ref prediction);
            // Disposes the model too.
            if (dispose)
                engine.Dispose();
        }
    }
}
