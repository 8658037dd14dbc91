using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>Counts the tensors alive after many trainings and predictions.</summary>
internal sealed class LiveTensors : IBenchmark
{
    private const int Fits = 20;
    private const int Predictions = 10_000;

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
        Timing.CollectGarbage();
        var before = Tensor.TotalCount;
        var atEnd = FitAndPredict(images, Fits, dispose);
        if (!dispose)
            Timing.CollectGarbage();
        var after = Tensor.TotalCount;
        return Bound.AtMost(what, 0, after - before, "+0;-0;0", $"{before} before, {atEnd} while the models live, {after} after");
    }

    /// <summary>Returns the number of tensors before anything is disposed.</summary>
    private static long FitAndPredict(ImageSet images, int fits, bool dispose)
    {
        var trainer = new ImageTrainer();
        var data = images.ToDataView(trainer.Context);
        var models = Enumerable.Range(0, fits).Select(_ => trainer.Fit(data, _ => { })).ToArray();
        var prediction = new ImagePrediction();
        foreach (var model in models)
        {
            var engine = trainer.Context.Model.CreatePredictionEngine<ImageRow, ImagePrediction>(model);
            for (var i = 0; i < Predictions / fits; i++)
                engine.Predict(images.Rows[i % images.Count], ref prediction);
            if (dispose)
                engine.Dispose();
        }
        var alive = Tensor.TotalCount;
        if (dispose)
        {
            foreach (var model in models)
                model.Dispose();
        }
        return alive;
    }
}
