using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Benchmarks;

/// <summary>Scoring with ONNX Runtime and with libtorch, against each other and against the bare ONNX Runtime.</summary>
internal sealed class EngineScoring : IBenchmark
{
    private const int ConvolutionRows = 10_000;
    private const int Predictions = 5000;
    private const int BlockRows = 1024;

    public string Name => "engines";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        foreach (var threads in new[] { 1, Environment.ProcessorCount }.Distinct())
        {
            using (var perceptron = new ImageTrainer().Fit(settings.Training.Take(2000).ToDataView(new MLContext(1)), _ => { }))
            {
                foreach (var row in Measure(settings, "784-128-32-10", perceptron, settings.Training, BlockRows, threads))
                    yield return row;
            }
            using var convolutions = new MLContext(1).MulticlassClassification.Trainers.Cnn(new CnnMulticlassTrainer.Options
            {
                ImageShape = new ImageShape(1, 28, 28),
                Layers = CnnLayers.MnistExample(),
                Epochs = 1,
            }).Fit(settings.Training.Take(500).ToDataView(new MLContext(1)));
            foreach (var row in Measure(settings, "PyTorch's MNIST network", convolutions, settings.Training.Take(ConvolutionRows), convolutions.Model.ScoringRows, threads))
                yield return row;
        }
        foreach (var row in OtherNetworks.All)
            yield return Compare(settings, row.Name, row.Fit(), row.Data);
    }

    private static IEnumerable<ResultRow> Measure(BenchmarkSettings settings, string network, MulticlassNetworkTransformer model, ImageSet images, int blockRows, int threads)
    {
        var ml = new MLContext(1);
        var data = images.ToDataView(ml);
        using var bare = new BareOnnxRuntime(model.Model, images, blockRows, threads);
        var samples = Timing.Measure(
            settings.Rounds,
            Contender.Of("ONNX Runtime", () => Evaluate(ScoringEngine.OnnxRuntime)),
            Contender.Of("bare", bare.ScoreAll),
            Contender.Of("libtorch", () => Evaluate(ScoringEngine.LibTorch)));
        var what = $"{network}, {Threads.Text(threads)}, Evaluate(Transform) on {images.Count} rows with ONNX Runtime, against";
        yield return Bound.Row($"{what} bare ONNX Runtime in blocks of {blockRows}", 0.9, new Comparison(samples[0], samples[1]), "rows", images.Count);
        yield return Bound.Row($"{what} libtorch", null, new Comparison(samples[0], samples[2]), "rows", images.Count);

        using var runtime = EngineOf(ScoringEngine.OnnxRuntime);
        using var torch = EngineOf(ScoringEngine.LibTorch);
        samples = Timing.Measure(
            settings.Rounds,
            Contender.Of("ONNX Runtime", () => PredictAll(runtime)),
            Contender.Of("bare", () => bare.ScoreOneByOne(Predictions)),
            Contender.Of("libtorch", () => PredictAll(torch)));
        what = $"{network}, {Threads.Text(threads)}, PredictionEngine with ONNX Runtime, against";
        yield return Bound.Row($"{what} bare ONNX Runtime", 0.8, new Comparison(samples[0], samples[1]), "rows", Predictions);
        yield return Bound.Row($"{what} libtorch", null, new Comparison(samples[0], samples[2]), "rows", Predictions);

        void Evaluate(ScoringEngine engine)
        {
            model.SetScoring(new ScoringOptions { Engine = engine, ThreadCount = threads });
            ml.MulticlassClassification.Evaluate(model.Transform(data));
        }

        PredictionEngine<ImageRow, ImagePrediction> EngineOf(ScoringEngine engine)
        {
            model.SetScoring(new ScoringOptions { Engine = engine, ThreadCount = threads });
            return ml.Model.CreatePredictionEngine<ImageRow, ImagePrediction>(model, new PredictionEngineOptions { OwnsTransformer = false });
        }

        void PredictAll(PredictionEngine<ImageRow, ImagePrediction> engine)
        {
            var prediction = new ImagePrediction();
            for (var i = 0; i < Predictions; i++)
                engine.Predict(images.Rows[i % images.Count], ref prediction);
        }
    }

    private static ResultRow Compare(BenchmarkSettings settings, string network, ITransformer model, IDataView data)
    {
        using var disposer = (IDisposable)model;
        var rows = data.GetRowCount() ?? 0;
        var comparison = Timing.Compare(
            settings.Rounds,
            Contender.Of("ONNX Runtime", () => Score(ScoringEngine.OnnxRuntime)),
            Contender.Of("libtorch", () => Score(ScoringEngine.LibTorch)));
        return Bound.Row($"{network}, Transform with ONNX Runtime, against libtorch", null, comparison, "rows", rows);

        void Score(ScoringEngine engine)
        {
            model.SetScoring(new ScoringOptions { Engine = engine });
            var scored = model.Transform(data);
            using var cursor = scored.GetRowCursor([scored.Schema["Score"]]);
            var getter = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
            var score = default(VBuffer<float>);
            while (cursor.MoveNext())
                getter(ref score);
        }
    }
}
