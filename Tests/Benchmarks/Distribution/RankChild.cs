using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Distribution;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>What one of several processes of Open MPI does, or one alone: rank 0 prints a number.</summary>
internal static class RankChild
{
    public const string Command = "ranks-child";

    /// <summary>The kinds of a child that cross-validates; its number is that of the seconds.</summary>
    public const string Folds = "folds of a CNN";
    public const string SmallFolds = "folds of an MLP";

    /// <summary>The kind of a child that sums tensors; its number is that of the seconds of a sum.</summary>
    public const string Sum = "sum";

    private const int Epochs = 4;
    private const int SumsToMeasure = 50;

    /// <summary>Runs processes of one thread each, and returns what rank 0 has measured: examples per second of all but the first epoch, or seconds.</summary>
    /// <param name="ranks">How many.</param>
    /// <param name="kind">What they do.</param>
    /// <param name="size">The global batch, the number of folds, or the numbers of a sum.</param>
    public static double Measure(int ranks, string kind, int size)
    {
        string[] arguments = [Command, kind, size.ToString(CultureInfo.InvariantCulture)];
        if (ranks == 1)
            return ChildProcess.Run(arguments)[0];
        var start = new ProcessStartInfo("mpirun", ["-n", $"{ranks}", "--bind-to", "none", Environment.ProcessPath!, .. arguments]) { RedirectStandardOutput = true };
        foreach (var (name, value) in new[] { ("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"), ("TERM", "dumb") })
            start.Environment[name] = value;
        return ChildProcess.Run(start)[0];
    }

    /// <param name="arguments">The kind and the size; <c>bfloat16</c> if gradients are to travel so.</param>
    public static int Run(string[] arguments)
    {
        var distributed = Distributed.FromEnvironment() with { GradientPrecision = arguments is [_, _, "bfloat16"] ? Precision.BFloat16 : Precision.Float32 };
        var ml = new MLContext(1);
        var size = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        var result = arguments[0] switch
        {
            Sum => SecondsOfSum(distributed, size),
            Folds => SecondsOfFolds(ml, distributed, size, 1_000, ml.MulticlassClassification.Trainers.Cnn(new CnnMulticlassTrainer.Options { Layers = CnnLayers.MnistExample(), ImageShape = new ImageShape(1, 28, 28), Epochs = 3, ThreadCount = 1 })),
            SmallFolds => SecondsOfFolds(ml, distributed, size, 6_000, ml.MulticlassClassification.Trainers.Mlp(new MlpMulticlassTrainer.Options { HiddenLayers = [128, 32], Epochs = 20, ThreadCount = 1 })),
            "mlp" => Classifier(ml, 784, new MlpMulticlassTrainer.Options { HiddenLayers = [128, 32] }, rows: Math.Max(30_000, 30 * size), size, distributed),
            "cnn" => Classifier(ml, 784, new CnnMulticlassTrainer.Options { Layers = CnnLayers.MnistExample(), ImageShape = new ImageShape(1, 28, 28) }, rows: 8 * size, size, distributed),
            "resnet" => Classifier(ml, 3 * 32 * 32, new ResNetMulticlassTrainer.Options { ImageShape = new ImageShape(3, 32, 32) }, rows: 8 * size, size, distributed),
            _ => LanguageModel(ml, size, distributed),
        };
        if (distributed.IsMain)
            Console.WriteLine(result.ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    private static double SecondsOfSum(Distributed distributed, int count)
    {
        using var values = zeros(count, ScalarType.Float32, CPU);
        var group = distributed.Group!;
        var watch = new Stopwatch();
        for (var i = -5; i < SumsToMeasure; i++)
        {
            if (i == 0)
                watch.Start();
            group.Sum(values, 1, distributed.GradientPrecision);
        }
        return watch.Elapsed.TotalSeconds / SumsToMeasure;
    }

    private static double SecondsOfFolds(MLContext ml, Distributed distributed, int folds, int rows, IEstimator<ITransformer> trainer)
    {
        var data = Rows(ml, 784, rows);
        var watch = Stopwatch.StartNew();
        ml.MulticlassClassification.CrossValidate(data, trainer, distributed, folds);
        return watch.Elapsed.TotalSeconds;
    }

    private static double Classifier(MLContext ml, int width, SupervisedTrainerOptions options, int rows, int batch, Distributed distributed)
    {
        (options.Epochs, options.GlobalBatchSize, options.ThreadCount, options.Distributed) = (Epochs, batch, 1, distributed);
        IEstimator<NetworkTransformer> trainer = options switch
        {
            MlpMulticlassTrainer.Options mlp => ml.MulticlassClassification.Trainers.Mlp(mlp),
            CnnMulticlassTrainer.Options cnn => ml.MulticlassClassification.Trainers.Cnn(cnn),
            _ => ml.MulticlassClassification.Trainers.ResNet((ResNetMulticlassTrainer.Options)options),
        };
        using var model = trainer.Fit(Rows(ml, width, rows));
        return Rate(model.Model.History!);
    }

    /// <summary>The preset for a small corpus, with a vocabulary of 10,000 words.</summary>
    private static double LanguageModel(MLContext ml, int streams, Distributed distributed)
    {
        var random = new Random(1);
        var text = string.Join(' ', Enumerable.Range(0, Math.Max(8_000, 700 * streams)).Select(_ => $"w{random.Next(10_000)}"));
        var options = LanguageModelEstimator.Options.Small();
        (options.Epochs, options.GlobalBatchSize, options.ThreadCount, options.Distributed) = (Epochs, streams, 1, distributed);
        using var model = ml.LanguageModels.Trainers.Lstm(options).Fit(ml.Data.LoadFromEnumerable([new Line { Text = text }]));
        return Rate(model.History);
    }

    private static double Rate(TrainingHistory history)
    {
        var epochs = history.Epochs.Skip(1).ToList();
        return epochs.Sum(epoch => epoch.Examples) / epochs.Sum(epoch => epoch.Seconds);
    }

    private static IDataView Rows(MLContext ml, int width, int rows)
    {
        var random = new Random(1);
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, width);
        return ml.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(_ => new Row { Features = Enumerable.Range(0, width).Select(_ => random.NextSingle()).ToArray(), Label = (uint)random.Next(10) }).ToArray(), schema);
    }

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
