using Microsoft.ML;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>A prediction engine, one row at a time, against the bare forward pass of one row.</summary>
internal sealed class SingleRowPrediction : IBenchmark
{
    private const int Predictions = 5000;

    public string Name => "predict";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var trainer = new ImageTrainer();
        var images = settings.Training.Take(2000);
        using var model = trainer.Fit(images.ToDataView(trainer.Context), _ => { });
        using var engine = trainer.Context.Model.CreatePredictionEngine<ImageRow, ImagePrediction>(model);
        var before = get_num_threads();
        foreach (var threads in new[] { before, 1 }.Distinct())
        {
            set_num_threads(threads);
            var comparison = Timing.Compare(
                settings.Rounds,
                Contender.Of("PredictionEngine", () => PredictAll(engine, images)),
                Contender.Of("raw", () => ForwardAll(model.Model.Network, images)));
            yield return Bound.Row($"PredictionEngine, one row, {Threads.Text(threads)}, against a raw forward of one row", 0.7, comparison, "rows", Predictions);
        }
        set_num_threads(before);
    }

    private static void PredictAll(PredictionEngine<ImageRow, ImagePrediction> engine, ImageSet images)
    {
        var prediction = new ImagePrediction();
        for (var i = 0; i < Predictions; i++)
            engine.Predict(images.Rows[i % images.Count], ref prediction);
    }

    private static void ForwardAll(nn.Module<Tensor, Tensor> network, ImageSet images)
    {
        using var row = zeros(1, ImageRow.Width);
        var scores = new float[ImageRow.Classes];
        for (var i = 0; i < Predictions; i++)
        {
            using var scope = NewDisposeScope();
            using var mode = inference_mode();
            images.Rows[i % images.Count].Features.CopyTo(TensorMemory.Floats(row));
            TensorMemory.Floats(network.call(row).softmax(1)).CopyTo(scores);
        }
    }
}
