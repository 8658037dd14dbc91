using Microsoft.ML.Data;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>Evaluate(Transform(data)), against ML.NET's own row-wise scoring and against the bare forward pass.</summary>
internal sealed class BatchedEvaluation : IBenchmark
{
    private const int RawBatchRows = 1024;

    public string Name => "evaluate";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var trainer = new ImageTrainer();
        var ml = trainer.Context;
        var data = settings.Training.ToDataView(ml);
        using var model = trainer.Fit(settings.Training.Take(2000).ToDataView(ml), _ => { });
        // The base class scores as ML.NET does; ours hides its Transform.
        SingleFeaturePredictionTransformerBase<NetworkModelParameters> asMLNet = model;
        using var raw = new RawForward(model.Model, settings.Training);
        var samples = Timing.Measure(
            settings.Rounds,
            Contender.Of("batched", () => ml.MulticlassClassification.Evaluate(model.Transform(data))),
            Contender.Of("row-wise", () => ml.MulticlassClassification.Evaluate(asMLNet.Transform(data))),
            Contender.Of("raw", raw.ScoreAll));
        var rows = settings.Training.Count;
        var what = $"Evaluate(Transform) on {rows} rows, against";
        yield return Bound.Row($"{what} row-wise scoring", 5, new Comparison(samples[0], samples[1]), "rows", rows);
        yield return Bound.Row($"{what} raw forward in batches of {RawBatchRows}", 0.6, new Comparison(samples[0], samples[2]), "rows", rows);
    }

    /// <summary>The same network and softmax over tensors that are ready.</summary>
    private sealed class RawForward : IDisposable
    {
        private readonly NetworkModelParameters _model;
        private readonly Tensor _features;
        private readonly float[] _scores = new float[RawBatchRows * ImageRow.Classes];

        public RawForward(NetworkModelParameters model, ImageSet images)
        {
            _model = model;
            (_features, var labels) = images.ToTensors();
            labels.Dispose();
        }

        public void ScoreAll()
        {
            using var mode = inference_mode();
            var count = _features.shape[0];
            for (long first = 0; first < count; first += RawBatchRows)
            {
                using var scope = NewDisposeScope();
                var rows = _features.narrow(0, first, Math.Min(RawBatchRows, count - first));
                TensorMemory.Floats(_model.Network.call(rows).softmax(1)).CopyTo(_scores);
            }
        }

        public void Dispose() => _features.Dispose();
    }
}
