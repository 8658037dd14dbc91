using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Benchmarks;

/// <summary>
/// Two ranks with one thread each against one process with one thread, the same global batch: examples per second of all but the first epoch.
/// Needs mpirun; without it nothing is measured.
/// </summary>
internal sealed class RankTraining : IBenchmark
{
    public const string ChildCommand = "ranks-child";

    private const int Epochs = 4;

    public string Name => "ranks";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        foreach (var (kind, floor) in new (string, double?)[] { ("mlp", null), ("cnn", 1.7), ("resnet", 1.7), ("language", 1.7) })
        {
            var (one, two) = (new List<double>(), new List<double>());
            for (var round = 0; round < settings.Rounds; round++)
            {
                one.Add(Rate(kind, ranks: 1));
                two.Add(Rate(kind, ranks: 2));
            }
            var ratio = Median(two) / Median(one);
            yield return new ResultRow(
                $"{kind}, 2 ranks of 1 thread against 1 process of 1 thread",
                floor == null ? "" : FormattableString.Invariant($">= {floor:F1}x"),
                FormattableString.Invariant($"{ratio:F2}x (bests {two.Max() / one.Max():F2}x){(ratio < floor ? " MISSED" : "")}"),
                FormattableString.Invariant($"{Median(two):F0} and {Median(one):F0} examples/s"));
        }
    }

    /// <summary>Trains in this process, a rank or alone; rank 0 prints the examples per second.</summary>
    public static int RunChild(string[] arguments)
    {
        var distributed = Distributed.FromEnvironment();
        var ml = new MLContext(1);
        var history = arguments[0] switch
        {
            "mlp" => Classifier(ml, 784, new MlpMulticlassTrainer.Options { HiddenLayers = [128, 32] }, rows: 30_000, batch: 128, distributed),
            "cnn" => Classifier(ml, 784, new CnnMulticlassTrainer.Options { Layers = CnnLayers.MnistExample(), ImageShape = new ImageShape(1, 28, 28) }, rows: 4_096, batch: 512, distributed),
            "resnet" => Classifier(ml, 3 * 32 * 32, new ResNetMulticlassTrainer.Options { ImageShape = new ImageShape(3, 32, 32) }, rows: 1_024, batch: 128, distributed),
            _ => LanguageModel(ml, distributed),
        };
        var epochs = history.Epochs.Skip(1).ToList();
        if (distributed.IsMain)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{epochs.Sum(epoch => epoch.Examples) / epochs.Sum(epoch => epoch.Seconds)}"));
        return 0;
    }

    private static double Rate(string kind, int ranks)
    {
        if (ranks == 1)
            return ChildProcess.Run(ChildCommand, kind)[0];
        var start = new ProcessStartInfo("mpirun", ["-n", $"{ranks}", "--bind-to", "none", Environment.ProcessPath!, ChildCommand, kind]) { RedirectStandardOutput = true };
        foreach (var (name, value) in new[] { ("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"), ("TERM", "dumb") })
            start.Environment[name] = value;
        return ChildProcess.Run(start)[0];
    }

    private static TrainingHistory Classifier(MLContext ml, int width, SupervisedTrainerOptions options, int rows, int batch, Distributed distributed)
    {
        var random = new Random(1);
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, width);
        var data = ml.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(_ => new Row { Features = Enumerable.Range(0, width).Select(_ => random.NextSingle()).ToArray(), Label = (uint)random.Next(10) }).ToArray(), schema);
        (options.Epochs, options.GlobalBatchSize, options.ThreadCount, options.Distributed) = (Epochs, batch, 1, distributed);
        IEstimator<NetworkTransformer> trainer = options switch
        {
            MlpMulticlassTrainer.Options mlp => ml.MulticlassClassification.Trainers.Mlp(mlp),
            CnnMulticlassTrainer.Options cnn => ml.MulticlassClassification.Trainers.Cnn(cnn),
            _ => ml.MulticlassClassification.Trainers.ResNet((ResNetMulticlassTrainer.Options)options),
        };
        using var model = trainer.Fit(data);
        return model.Model.History!;
    }

    private static TrainingHistory LanguageModel(MLContext ml, Distributed distributed)
    {
        var random = new Random(1);
        var text = string.Join(' ', Enumerable.Range(0, 40_000).Select(_ => $"w{random.Next(2_000)}"));
        var options = LanguageModelEstimator.Options.Small();
        (options.Epochs, options.GlobalBatchSize, options.ThreadCount, options.Distributed) = (Epochs, 20, 1, distributed);
        using var model = ml.LanguageModels.Trainers.Lstm(options).Fit(ml.Data.LoadFromEnumerable([new Line { Text = text }]));
        return model.History;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }

    private sealed class Line
    {
        public string Text { get; set; } = "";
    }
}
