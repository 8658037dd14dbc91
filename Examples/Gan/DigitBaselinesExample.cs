using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.Gan;

/// <summary>What the Fréchet distances of <see cref="MnistGanExample"/> mean: those of digits that were generated in simpler ways.</summary>
internal sealed class DigitBaselinesExample : IExample
{
    private const int Judged = 10_000;
    private const int GibbsSteps = 1000;
    private const int BatchSize = 100;
    private const string Features = nameof(MadeDigit.Features);

    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes of the RBM over the training data.", "20");

    public string Name => "gan-baselines";

    public ExampleHelp Help => new(
        "Measures how far simply generated digits are from real ones: samples of a restricted Boltzmann machine, and noise around the mean of each class.",
        $"{MnistData.Files}",
        "about 10 minutes of one core, and 10 more for the judge the first time",
        "samples.png: samples of the RBM");

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, Epochs, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var folder = MnistData.Files.Find(arguments);
        var (trainSet, testSet) = (MnistData.LoadTraining(mlContext, folder), MnistData.LoadTest(mlContext, folder));
        var output = new OutputFolder(Name);
        using var rbm = mlContext.Transforms.Rbm(new RbmEstimator.Options
        {
            InputColumnName = Features,
            HiddenLayers = [500],
            Epochs = arguments.Integer(Epochs, least: 1),
            BatchSize = BatchSize,
            PersistentChains = BatchSize,
            LearningRate = 0.05,
            LearningRateSchedule = LearningRateSchedule.Cosine(),
            ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
            Progress = new ConsoleProgress("784-500, persistent CD"),
            CancellationToken = cancellationToken,
        }).Fit(trainSet);
        var samples = rbm.Sample(Judged, GibbsSteps, seed);
        TilePicture.SavePng(output.PathOf("samples.png"), samples.Take(100).ToArray(), MnistData.Side, MnistData.Side, 10);

        var judge = DigitJudge.Open(mlContext, trainSet, cancellationToken);
        using var features = DigitJudge.OpenFeatures(mlContext, judge, testSet);
        var (ofRbm, ofNoise) = (Distance(samples), Distance(AroundMeans(trainSet, seed)));
        AnsiConsole.Write(new Table().Border(TableBorder.Rounded).AddColumns("Fréchet distance of the judge's features to the test images", "")
            .AddRow("training images", $"{ofRbm.Floor!.RealDistance:0.00}")
            .AddRow($"an RBM after {GibbsSteps} Gibbs steps from noise", $"{ofRbm.FrechetDistance:0.0}")
            .AddRow("noise around the mean of each class", $"{ofNoise.FrechetDistance:0.0}"));
        output.Print(("samples.png", "samples of the RBM"));
        return new ResultLine { ["real.frechet-distance"] = ofRbm.Floor.RealDistance, ["rbm.frechet-distance"] = ofRbm.FrechetDistance, ["noise.frechet-distance"] = ofNoise.FrechetDistance };

        GenerativeMetrics Distance(float[][] digits)
        {
            var schema = SchemaDefinition.Create(typeof(MadeDigit));
            schema[Features].ColumnType = new VectorDataViewType(NumberDataViewType.Single, MnistData.Side * MnistData.Side);
            var made = mlContext.Data.LoadFromEnumerable(digits.Select(digit => new MadeDigit { Features = digit }).ToArray(), schema);
            return mlContext.GenerativeModels.Evaluate(features.Transform(testSet), features.Transform(made), DigitJudge.FeatureColumn, features.Transform(mlContext.Data.TakeRows(trainSet, Judged)));
        }
    }

    /// <summary>Pixels that are independent of each other, with the mean and deviation that each has in the class.</summary>
    private static float[][] AroundMeans(IDataView trainSet, int seed)
    {
        var digits = trainSet.GetColumn<float[]>(Features).Zip(trainSet.GetColumn<uint>("Label")).GroupBy(digit => digit.Second, digit => digit.First).Select(group => group.ToArray()).ToArray();
        var moments = digits.Select(images => Enumerable.Range(0, images[0].Length).Select(pixel =>
        {
            var mean = images.Average(image => (double)image[pixel]);
            return (Mean: mean, Deviation: Math.Sqrt(images.Average(image => (image[pixel] - mean) * (image[pixel] - mean))));
        }).ToArray()).ToArray();
        var random = new Random(seed);
        return Enumerable.Range(0, Judged).Select(i => moments[i % moments.Length].Select(pixel => (float)Math.Clamp(pixel.Mean + (pixel.Deviation * Normal(random)), 0, 1)).ToArray()).ToArray();
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private sealed class MadeDigit
    {
        public float[] Features { get; set; } = [];
    }
}
