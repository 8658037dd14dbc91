using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Benchmarks;

/// <summary>The largest networks at ImageNet size: built, trained for a step, saved, loaded. Seconds and sizes.</summary>
internal sealed class LargeNetworks : IBenchmark
{
    private const int Side = 224;
    private const int Images = 2;
    private const int Classes = 1000;

    public string Name => "large";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var ml = new MLContext(1);
        yield return Measure(ml, "VGG-19", ml.MulticlassClassification.Trainers.Cnn(Fill(new CnnMulticlassTrainer.Options { Layers = CnnLayers.Vgg19() })));
        yield return Measure(ml, "ResNet-152", ml.MulticlassClassification.Trainers.ResNet(Fill(new ResNetMulticlassTrainer.Options { Form = ResNetForm.ImageNet, Depth = 152 })));
    }

    private static TOptions Fill<TOptions>(TOptions options)
        where TOptions : ImageOptions
    {
        options.Optimizer = new SgdOptimizer { Momentum = 0.9 };
        options.LearningRate = 1e-3;
        options.BatchSize = Images;
        options.Epochs = 1;
        return options;
    }

    private static ResultRow Measure(MLContext ml, string name, IEstimator<MulticlassNetworkTransformer> trainer)
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, Images)
            .Select(i => new Row { Label = (uint)i, Features = Enumerable.Range(0, Row.Width).Select(_ => random.NextSingle()).ToArray() })
            .ToList();
        var data = ml.Data.LoadFromEnumerable(rows);
        var path = Path.Combine(Path.GetTempPath(), $"mlextensions-large-{Guid.NewGuid():N}.zip");
        try
        {
            MulticlassNetworkTransformer? model = null;
            var fit = Timing.Seconds(() => model = trainer.Fit(data));
            var save = Timing.Seconds(() => ml.Model.Save(model, data.Schema, path));
            ITransformer? loaded = null;
            var load = Timing.Seconds(() => loaded = ml.Model.Load(path, out _));
            var same = Scores(model!.Transform(data)).SequenceEqual(Scores(loaded!.Transform(data)));
            var history = model.History;
            var details = FormattableString.Invariant($"{model.Model.Architecture.ParameterCount:N0} parameters; step of {Images} images with reading and building {fit:F1} s (the epoch itself {history.Epochs[0].Seconds:F1} s), saved {save:F1} s, {new FileInfo(path).Length / 1e6:F0} MB, loaded {load:F1} s, peak memory of the process {Process.GetCurrentProcess().PeakWorkingSet64 / 1e9:F1} GB");
            (loaded as IDisposable)?.Dispose();
            model.Dispose();
            return new ResultRow($"{name} at {Side} x {Side}: built, one step trained, saved, loaded", "works", same ? "works" : "scores differ after loading MISSED", details);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static float[] Scores(IDataView scored) => scored.GetColumn<float[]>("Score").SelectMany(row => row).ToArray();

    private sealed class Row
    {
        public const int Width = 3 * Side * Side;

        [KeyType(Classes)]
        public uint Label { get; set; }

        [VectorType(3, Side, Side)]
        public float[] Features { get; set; } = [];
    }
}
