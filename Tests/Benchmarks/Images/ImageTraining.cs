using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>Epochs of convolutional networks against hand-written TorchSharp loops on ready tensors, and the bfloat16 option.</summary>
internal sealed class ImageTraining : IBenchmark
{
    private const int BatchSize = 128;
    private const int MnistImages = 20 * BatchSize;
    private const int ColorImages = 8 * BatchSize;

    public string Name => "images";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        foreach (var threads in new[] { 1, get_num_threads() }.Distinct())
        {
            yield return MeasureMnist(settings, threads);
            yield return MeasureResNet(settings, threads);
        }
        yield return MeasureBFloat16(settings);
    }

    private static ResultRow MeasureMnist(BenchmarkSettings settings, int threads)
    {
        var images = settings.Training.Take(MnistImages);
        var ml = new MLContext(1);
        var data = images.ToDataView(ml);
        using var loop = new HandWrittenLoop(images.ToTensors(), HandWrittenNetworks.MnistExample(), network => optim.Adam(network.parameters(), 0.001), BatchSize);
        var comparison = Timing.Compare(
            settings.Rounds,
            new Contender("engine", () => Seconds(ml.MulticlassClassification.Trainers.Cnn(Mnist(threads)), data)),
            Contender.Of("hand-written loop", () => loop.Run(1, threads)));
        return Bound.Row($"training PyTorch's MNIST network, Adam, batch {BatchSize}, {Threads.Text(threads)}, against a hand-written loop", 1.0, comparison, "images", images.Count);
    }

    private static ResultRow MeasureResNet(BenchmarkSettings settings, int threads)
    {
        var images = new ColorImageSet(ColorImages, seed: 1);
        var ml = new MLContext(1);
        var data = images.ToDataView(ml);
        using var loop = new HandWrittenLoop(images.ToTensors(), new HandWrittenResNet20(), network => optim.SGD(network.parameters(), 0.1, momentum: 0.9), BatchSize);
        var comparison = Timing.Compare(
            settings.Rounds,
            new Contender("engine", () => Seconds(ml.MulticlassClassification.Trainers.ResNet(ResNet20(threads, Precision.Float32)), data)),
            Contender.Of("hand-written loop", () => loop.Run(1, threads)));
        return Bound.Row($"training ResNet-20, SGD with momentum, batch {BatchSize}, {Threads.Text(threads)}, against a hand-written loop", 1.0, comparison, "images", images.Count);
    }

    private static ResultRow MeasureBFloat16(BenchmarkSettings settings)
    {
        var images = new ColorImageSet(ColorImages, seed: 1);
        var ml = new MLContext(1);
        var data = images.ToDataView(ml);
        Contender Of(Precision precision) => new(
            precision.ToString().ToLowerInvariant(),
            () => Seconds(ml.MulticlassClassification.Trainers.ResNet(ResNet20(get_num_threads(), precision)), data));
        var comparison = Timing.Compare(settings.Rounds, Of(Precision.BFloat16), Of(Precision.Float32));
        var row = Bound.Row($"bfloat16 against float32, ResNet-20, batch {BatchSize}", null, comparison, "images", images.Count);
        return row with { Details = $"{row.Details}; {MLExtensions.Training.BFloat16Instructions.Name ?? "this processor has no bfloat16 instructions"}" };
    }

    private static CnnMulticlassTrainer.Options Mnist(int threads) => new()
    {
        ImageShape = new ImageShape(1, 28, 28),
        Layers = CnnLayers.MnistExample(),
        BatchSize = BatchSize,
        Epochs = 1,
        ThreadCount = threads,
    };

    private static ResNetMulticlassTrainer.Options ResNet20(int threads, Precision precision) => new()
    {
        Optimizer = new SgdOptimizer { Momentum = 0.9 },
        LearningRate = 0.1,
        BatchSize = BatchSize,
        Epochs = 1,
        ThreadCount = threads,
        Precision = precision,
    };

    /// <summary>The seconds of the engine's epochs alone, reading left out.</summary>
    private static double Seconds(IEstimator<MulticlassNetworkTransformer> trainer, IDataView data)
    {
        using var model = trainer.Fit(data);
        return model.History.Epochs.Sum(epoch => epoch.Seconds);
    }
}
