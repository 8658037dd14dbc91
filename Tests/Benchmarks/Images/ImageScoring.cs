using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Benchmarks;

/// <summary>Scoring images from pixel vectors: in blocks, and row by row as ML.NET's base class would.</summary>
internal sealed class ImageScoring : IBenchmark
{
    private const int Images = 10_000;

    public string Name => "image-scoring";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        yield return Measure(settings, "PyTorch's MNIST network", CnnLayers.MnistExample());
        yield return Measure(settings, "LeNet-5", CnnLayers.LeNet5());
    }

    private static ResultRow Measure(BenchmarkSettings settings, string network, IReadOnlyList<ImageLayer> layers)
    {
        var ml = new MLContext(1);
        var images = settings.Training.Take(Images);
        var data = images.ToDataView(ml);
        using var model = ml.MulticlassClassification.Trainers.Cnn(new CnnMulticlassTrainer.Options
        {
            ImageShape = new ImageShape(1, 28, 28),
            Layers = layers,
            Epochs = 1,
        }).Fit(images.Take(500).ToDataView(ml));
        SingleFeaturePredictionTransformerBase<NetworkModelParameters> asMLNet = model;
        var comparison = Timing.Compare(
            settings.Rounds,
            Contender.Of("batched", () => ml.MulticlassClassification.Evaluate(model.Transform(data))),
            Contender.Of("row-wise", () => ml.MulticlassClassification.Evaluate(asMLNet.Transform(data))));
        return Bound.Row($"scoring {images.Count} images with {network}, against row-wise scoring", 3, comparison, "images", images.Count);
    }
}
