using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.UnseenDigits;

/// <summary>
/// Classes that the training did not have: a network learns from the digits 0 to 6 what is alike, and is tested on 7, 8 and 9, beside pixels
/// and principal components.
/// </summary>
internal sealed class UnseenDigitsExample : IExample
{
    private const uint LastTrained = 7; // the key of digit 6
    private const int DigitCount = 10;
    private const int Values = 64;
    private const int ExamplesPerClass = 8;
    private const int ClassesInBatch = 7;

    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training data.", "3");
    private static readonly ExampleOption Seeds = new("seeds", "N", "Number of trainings, with consecutive seeds; the figures are their means.", "1");

    public string Name => "unseen-digits";

    public ExampleHelp Help => new(
        "Learns from the digits 0 to 6 what is alike, and finds 7, 8 and 9 among each other.",
        $"{MnistData.Files}",
        "about 3 minutes of one core for a seed",
        null);

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, Epochs, Seeds, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var folder = MnistData.Files.Find(arguments);
        var (first, count) = (arguments.Integer(ExampleOption.Seed, least: 0), arguments.Integer(Seeds, least: 1));
        var figures = new Dictionary<string, List<EmbeddingMetrics>>();
        for (var seed = first; seed < first + count; seed++)
        {
            var mlContext = new MLContext(seed);
            var known = mlContext.Data.FilterByCustomPredicate<Digit>(MnistData.LoadTraining(mlContext, folder), digit => digit.Label > LastTrained);
            var unseen = mlContext.Data.FilterByCustomPredicate<Digit>(MnistData.LoadTest(mlContext, folder), digit => digit.Label <= LastTrained);
            using var embedding = mlContext.MetricLearning.Trainers.Image(Network(arguments, seed, cancellationToken)).Fit(known);
            Add("embedding", mlContext.MetricLearning.Evaluate(embedding.Transform(unseen)));
            // Components of the same digits, as many as the embedding has values.
            var components = mlContext.Transforms.ProjectToPrincipalComponents("Components", "Features", rank: Values, seed: seed).Fit(known);
            Add("components", mlContext.MetricLearning.Evaluate(components.Transform(unseen), embeddingColumnName: "Components"));
            if (seed == first)
                Add("pixels", mlContext.MetricLearning.Evaluate(unseen, embeddingColumnName: "Features"));
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("unseen 7, 8 and 9", "R-precision", "MAP at R", "1-NN", "AUC");
        var result = new ResultLine();
        foreach (var (name, metrics) in figures)
        {
            var means = Array.ConvertAll<Func<EmbeddingMetrics, double>, double>([m => m.RPrecision, m => m.MeanAveragePrecisionAtR, m => m.PrecisionAt1, m => m.AreaUnderRocCurve], read => metrics.Average(read));
            table.AddRow([name, .. means.Select(mean => $"{mean:F4}")]);
            (result[$"{name}.r-precision"], result[$"{name}.map"], result[$"{name}.nn"], result[$"{name}.auc"]) = (means[0], means[1], means[2], means[3]);
        }
        AnsiConsole.Write(table);
        return result;

        void Add(string name, EmbeddingMetrics metrics)
        {
            if (!figures.TryGetValue(name, out var found))
                figures.Add(name, found = []);
            found.Add(metrics);
        }
    }

    private static ImageEmbeddingEstimator.Options Network(ExampleArguments arguments, int seed, CancellationToken cancellationToken) => new()
    {
        Trunk = ImageTrunk.Cnn(
            new ConvolutionLayer(16, 3) { Padding = 1, Bias = false }, new BatchNormalizationLayer(), new ActivationLayer(), new MaxPoolingLayer(2),
            new ConvolutionLayer(32, 3) { Padding = 1, Bias = false }, new BatchNormalizationLayer(), new ActivationLayer(), new MaxPoolingLayer(2),
            new ConvolutionLayer(64, 3) { Padding = 1, Bias = false }, new BatchNormalizationLayer(), new ActivationLayer(),
            new FlattenLayer(), new DenseLayer()),
        ImageShape = new ImageShape(1, MnistData.Side, MnistData.Side),
        EmbeddingSize = Values,
        // All seven digits in each batch.
        ExamplesPerClass = ExamplesPerClass,
        BatchSize = ClassesInBatch * ExamplesPerClass,
        Epochs = arguments.Integer(Epochs, least: 1),
        LearningRateSchedule = new CosineSchedule(),
        ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
        Seed = seed,
        Progress = new ConsoleProgress($"embedding, seed {seed}"),
        CancellationToken = cancellationToken,
    };

    private sealed class Digit
    {
        [KeyType(DigitCount)]
        public uint Label { get; set; }
    }
}
