using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;

namespace MLExtensions.GpuCheck;

/// <summary>Examples per second of whole epochs, after one to warm up, beside those that `eager.py` has measured with PyTorch on the same networks.</summary>
internal static class Throughput
{
    private const int Vocabulary = 10_000;
    private const int WindowLength = 20;
    private const int Epochs = 4;

    /// <returns>The exit code: 1 if something is slower than the other side.</returns>
    public static int Measure(string device, bool isShort, string? against)
    {
        var others = against == null || !File.Exists(against) ? [] : File.ReadLines(against).Select(line => line.Split(' ')).Where(words => words.Length == 2)
            .ToDictionary(words => words[0], words => double.Parse(words[1], CultureInfo.InvariantCulture));
        if (others.Count == 0)
            Console.WriteLine("PyTorch was not measured: only this side.");
        Console.WriteLine($"{"network, examples/s",-24}{"here",12}{"PyTorch",12}{"ratio",8}");
        var slower = 0;
        foreach (var precision in device == "cpu" ? [Precision.Float32] : new[] { Precision.Float32, Precision.TensorFloat32 })
        {
            foreach (var (name, run) in Networks(device, isShort, precision))
            {
                var full = precision == Precision.TensorFloat32 ? name + "-tf32" : name;
                var own = run();
                var other = others.GetValueOrDefault(full, double.NaN);
                slower += own / other < 1 ? 1 : 0;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{full,-24}{own,12:F0}{(double.IsNaN(other) ? "-" : other.ToString("F0", CultureInfo.InvariantCulture)),12}{(double.IsNaN(other) ? "-" : (own / other).ToString("F2", CultureInfo.InvariantCulture)),8}"));
            }
        }
        return slower == 0 ? 0 : 1;
    }

    private static IEnumerable<(string Name, Func<double> Run)> Networks(string device, bool isShort, Precision precision)
    {
        var ml = new MLContext(1);
        foreach (var (batch, steps) in new[] { (128, isShort ? 40 : 500), (2048, isShort ? 4 : 100) })
        {
            yield return ($"mlp-{batch}", () => Rate(ml.MulticlassClassification.Trainers.Mlp(Set(new MlpMulticlassTrainer.Options { HiddenLayers = [128, 32], BatchSize = batch })).Fit(Pictures(ml, batch * steps, 784)).History));
        }
        var images = (isShort ? 2 : 50) * 128;
        yield return ("resnet20-128", () => Rate(ml.MulticlassClassification.Trainers.ResNet(Set(new ResNetMulticlassTrainer.Options { BatchSize = 128 })).Fit(Pictures(ml, images, 3072, 3)).History));
        foreach (var batch in new[] { 20, 64 })
        {
            yield return ($"lstm-{batch}", () =>
            {
                var options = Set(LanguageModelEstimator.Options.Small());
                (options.BatchSize, options.LearningRateSchedule, options.GradientClipNorm) = (batch, LearningRateSchedule.Constant(), 5);
                return Rate(ml.LanguageModels.Trainers.Lstm(options).Fit(Text(ml, batch * WindowLength * (isShort ? 27 : 100))).Model.History!);
            });
        }

        TOptions Set<TOptions>(TOptions options)
            where TOptions : DataTrainingOptions
        {
            (options.Device, options.Precision, options.Epochs, options.Optimizer, options.LearningRate, options.Seed) = (device, precision, isShort ? 2 : Epochs, new AdamOptimizer(), 0.001, 1);
            return options;
        }
    }

    /// <summary>The best epoch but the first, which sets up what the others use.</summary>
    private static double Rate(TrainingHistory history) => history.Epochs.Skip(1).Max(epoch => epoch.Examples / epoch.Seconds);

    private static IDataView Pictures(MLContext ml, int count, int width, int channels = 1)
    {
        var random = new Random(1);
        var side = (int)Math.Sqrt(width / channels);
        var schema = SchemaDefinition.Create(typeof(Picture));
        schema[nameof(Picture.Features)].ColumnType = channels == 1 ? new VectorDataViewType(NumberDataViewType.Single, width) : new VectorDataViewType(NumberDataViewType.Single, channels, side, side);
        return ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(_ =>
        {
            var picture = new Picture { Label = (uint)random.Next(1, 11), Features = new float[width] };
            for (var i = 0; i < width; i++)
                picture.Features[i] = random.NextSingle();
            return picture;
        }).ToArray(), schema);
    }

    /// <summary>Every word once, so that the vocabulary is full, and then as often as natural language has its words.</summary>
    private static IDataView Text(MLContext ml, int tokens)
    {
        var random = new Random(1);
        var words = Enumerable.Range(0, Vocabulary - 2).Concat(Enumerable.Range(0, Math.Max(0, tokens - Vocabulary + 2)).Select(_ => (int)Math.Exp(random.NextDouble() * Math.Log(Vocabulary - 2)) - 1)).ToArray();
        random.Shuffle(words);
        return ml.Data.LoadFromEnumerable([new Line { Text = string.Join(' ', words.Select(word => $"w{word}")) }]);
    }

    private sealed class Picture
    {
        [KeyType(10)]
        public uint Label { get; set; }

        public float[] Features { get; set; } = [];
    }

    private sealed class Line
    {
        public string Text { get; set; } = "";
    }
}
