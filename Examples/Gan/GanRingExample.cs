using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Gan;

/// <summary>
/// A ring of 8 or a grid of 25 narrow normal distributions: does the generator find all of them? Lin et al., "PacGAN: the power of two samples
/// in generative adversarial networks", 2018.
/// </summary>
internal sealed class GanRingExample : IExample
{
    private const int Rows = 100_000;
    private const int BatchSize = 200;
    private const int Judged = 2500; // as in the paper
    private const double LearningRate = 3e-4;
    private const double DiscriminatorLearningRate = 1e-3;
    private const double Average = 0.99; // of the last hundred steps

    private static readonly ExampleOption Grid = ExampleOption.Flag("grid", "A grid of 25 instead of a ring of 8.");
    private static readonly ExampleOption Pack = new("pack", "N", "Number of samples that the discriminator judges together; 1 is a plain GAN.", "2");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the 100,000 points, 500 steps each.", "60");

    public string Name => "gan-ring";

    public ExampleHelp Help => new(
        "Trains a generative adversarial network on a ring of narrow normal distributions, and counts those that it generates.",
        "made by the program",
        "about 12 minutes of one core",
        "samples-NNNN.png (generated points after each epoch), losses.png, model.zip");

    public IReadOnlyList<ExampleOption> Options => [Grid, Pack, Epochs, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var (centers, deviation) = arguments.IsGiven(Grid) ? (GridCenters(), 0.05) : (RingCenters(), 0.01);
        var data = mlContext.Data.LoadFromEnumerable(Draw(centers, deviation, seed));
        var output = new OutputFolder(Name);
        var options = new GanEstimator.Options
        {
            Networks = Networks,
            OutputColumnName = nameof(Point.Features),
            PackSize = arguments.Integer(Pack, least: 1),
            Epochs = arguments.Integer(Epochs, least: 1),
            BatchSize = BatchSize,
            Loss = AdversarialLoss.Hinge,
            LearningRate = LearningRate,
            DiscriminatorLearningRate = DiscriminatorLearningRate,
            LearningRateSchedule = LearningRateSchedule.Linear(holdFraction: 0.2),
            EmaDecay = Average,
            SamplesFolder = output.PathOf(""),
            ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
            Progress = new ConsoleProgress($"{centers.Length} modes"),
            CancellationToken = cancellationToken,
        };
        output.KeepEpochs(options, "model", arguments);
        using var gan = mlContext.GenerativeModels.Trainers.Gan(options).Fit(data);
        var metrics = mlContext.GenerativeModels.EvaluateMixture(gan.Generate(Judged, seed: 1), centers, deviation);

        var table = new Table().Border(TableBorder.Rounded).AddColumns("modes", "high quality", "reverse KL");
        table.AddRow($"{metrics.NumberOfCoveredModes} of {metrics.NumberOfModes}", $"{metrics.HighQualityShare:P1}", $"{metrics.ReverseKullbackLeibler:0.000}");
        AnsiConsole.Write(table);
        gan.History.SavePng(output.PathOf("losses.png"));
        mlContext.Model.Save(gan, data.Schema, output.PathOf("model.zip"));
        output.Print(("samples-*", "generated points after each epoch"), ("losses.png", "the training curves"), ("model.zip", "both networks"));
        return new ResultLine
        {
            ["gan.modes"] = metrics.NumberOfCoveredModes,
            ["gan.high-quality"] = metrics.HighQualityShare,
            ["gan.reverse-kl"] = metrics.ReverseKullbackLeibler,
        };
    }

    /// <summary>
    /// The paper's, 4 layers of 400 units against 3 maxout layers of 200 units, but without batch normalization: statistics of a batch move all of its
    /// samples a little, and the modes are narrower than that.
    /// </summary>
    private static GanNetworks Networks => new()
    {
        LatentSize = 2,
        Generator = [.. Enumerable.Repeat((ImageLayer[])[new DenseLayer(400), new ActivationLayer()], 4).SelectMany(layers => layers), new DenseLayer()],
        Discriminator = [new MaxoutLayer(200), new MaxoutLayer(200), new MaxoutLayer(200), new DenseLayer()],
    };

    private static float[][] RingCenters() => Enumerable.Range(0, 8).Select(i => new[] { MathF.Cos(MathF.Tau * i / 8), MathF.Sin(MathF.Tau * i / 8) }).ToArray();

    /// <summary>The paper's, 2 apart. In units in which coordinates have variance 1 fewer modes are found.</summary>
    private static float[][] GridCenters() => Enumerable.Range(0, 25).Select(i => new[] { 2f * ((i / 5) - 2), 2f * ((i % 5) - 2) }).ToArray();

    private static Point[] Draw(float[][] centers, double deviation, int seed)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, Rows).Select(_ => centers[random.Next(centers.Length)]).Select(center => new Point { Features = [Near(center[0]), Near(center[1])] }).ToArray();

        // Box and Muller, 1958.
        float Near(float center) => (float)(center + (deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble())));
    }

    private sealed class Point
    {
        [Microsoft.ML.Data.VectorType(2)]
        public float[] Features { get; set; } = [];
    }
}
