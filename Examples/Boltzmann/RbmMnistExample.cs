using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.Boltzmann;

/// <summary>One restricted Boltzmann machine on MNIST, without labels: its filters, its reconstructions and its samples.</summary>
internal sealed class RbmMnistExample : IExample
{
    private const int BatchSize = 100;
    private const double LearningRate = 0.1;
    private const double PersistentLearningRate = 0.05;
    private const double Momentum = 0.5;
    private const double L2 = 2e-4;
    private const int Images = 20;
    private const string FiltersFile = "filters.png";
    private const string ReconstructionsFile = "reconstructions.png";
    private const string SamplesFromNoiseFile = "samples-from-noise.png";
    private const string SamplesFromImagesFile = "samples-from-images.png";
    private const string HistoryFile = "history.png";
    private const string ModelFile = "model.zip";

    private static readonly int[] Steps = [1, 10, 100, 1000];

    private static readonly ExampleOption Hidden = new("hidden", "N", "Number of hidden units.", "500");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training data.", "15");
    private static readonly ExampleOption Persistent = ExampleOption.Flag("persistent", "Trains with chains that continue from batch to batch, instead of starting from the data.");

    public string Name => "rbm-mnist";

    public ExampleHelp Help => new(
        "Trains a restricted Boltzmann machine (RBM) on MNIST without labels and draws its filters, reconstructions and samples.",
        $"{MnistData.Files}",
        "a few minutes of one core",
        $"{ModelFile} (the RBM), {HistoryFile}, {FiltersFile}, {ReconstructionsFile}, {SamplesFromNoiseFile} and {SamplesFromImagesFile}");

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, Hidden, Epochs, Persistent, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var folder = MnistData.Files.Find(arguments);
        var options = CreateOptions(arguments);
        options.CancellationToken = cancellationToken;
        var trainSet = MnistData.LoadTraining(mlContext, folder);
        var testSet = MnistData.LoadTest(mlContext, folder);
        var output = new OutputFolder(Name);
        output.KeepEpochs(options, "rbm", arguments);

        var watch = Stopwatch.StartNew();
        options.Progress = new ConsoleProgress($"784-{options.HiddenLayers[0].Units}, {(options.PersistentChains == null ? "CD-1" : "persistent CD")}");
        using var rbm = mlContext.Transforms.Rbm(options).Fit(trainSet, testSet);
        var seconds = watch.Elapsed.TotalSeconds;
        var history = rbm.Histories[0];
        Print(history.Epochs[^1], seconds);

        var images = mlContext.Data.TakeRows(testSet, Images).GetColumn<float[]>("Features").ToArray();
        rbm.SaveFiltersPng(output.PathOf(FiltersFile), MnistData.Side, MnistData.Side);
        SaveRows(output.PathOf(ReconstructionsFile), images, Array.ConvertAll(images, rbm.Reconstruct));
        SaveRows(output.PathOf(SamplesFromNoiseFile), Array.ConvertAll(Steps, steps => rbm.Sample(Images, steps, seed)));
        SaveRows(output.PathOf(SamplesFromImagesFile), [images, .. Steps.Select(steps => rbm.Sample(images, steps, seed))]);
        history.SavePng(output.PathOf(HistoryFile));
        mlContext.Model.Save(rbm, trainSet.Schema, output.PathOf(ModelFile));
        var stepNames = string.Join(", ", Steps);
        output.Print(
            (FiltersFile, "what the first hidden units look for: white for ink, black for none, gray for either"),
            (ReconstructionsFile, "test images, and below each its reconstruction from the hidden units"),
            (SamplesFromNoiseFile, $"samples after {stepNames} Gibbs steps from noise, one row each"),
            (SamplesFromImagesFile, $"test images, and samples after {stepNames} Gibbs steps from them, one row each"),
            (HistoryFile, "the training curves"),
            (ModelFile, "the RBM"));
        return new ResultLine
        {
            ["test.squared-error-from-samples"] = history.Epochs[^1].Validation["loss"],
            ["test.squared-error-from-means"] = SquaredError(rbm, testSet),
            ["test.pseudo-log-likelihood"] = history.Epochs[^1].Validation["pseudoLogLikelihood"],
            ["test.free-energy-gap"] = history.Epochs[^1].Validation["freeEnergyGap"],
            ["training.seconds"] = Math.Round(seconds, 1),
        };
    }

    private static RbmEstimator.Options CreateOptions(ExampleArguments arguments)
    {
        var isPersistent = arguments.IsGiven(Persistent);
        return new RbmEstimator.Options
        {
            InputColumnName = "Features",
            OutputColumnName = "Hidden",
            HiddenLayers = [arguments.Integer(Hidden, least: 1)],
            Epochs = arguments.Integer(Epochs, least: 1),
            BatchSize = BatchSize,
            LearningRate = isPersistent ? PersistentLearningRate : LearningRate,
            // Persistent chains need weights that change slowly, and hardly at all in the end.
            LearningRateSchedule = isPersistent ? LearningRateSchedule.Cosine() : LearningRateSchedule.Constant(),
            Optimizer = new SgdOptimizer { Momentum = isPersistent ? 0 : Momentum },
            L2Regularization = L2,
            PersistentChains = isPersistent ? BatchSize : null,
            ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
        };
    }

    private static void Print(EpochRecord last, double seconds)
    {
        var table = new Table().Border(TableBorder.Rounded).Title($"after {last.Epoch} epochs, {seconds:N0} seconds")
            .AddColumns("", "squared error: a pixel", "an image", "pseudo-log-likelihood", "free energy");
        AddRow("training images", last.Training);
        AddRow("test images", last.Validation);
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine("Images are reconstructed from sampled states of the hidden units. The figures of the training images are taken while the weights change.");
        AnsiConsole.WriteLine($"Free-energy gap between test and training images: {last.Validation["freeEnergyGap"]:0.00}");

        void AddRow(string name, IReadOnlyDictionary<string, double> metrics) => table.AddRow(
            name,
            $"{metrics["loss"]:0.00000}",
            $"{metrics["loss"] * MnistData.Side * MnistData.Side:0.000}",
            $"{metrics["pseudoLogLikelihood"]:0.00}",
            $"{metrics["freeEnergy"]:0.00}");
    }

    /// <summary>The mean squared error of a pixel that is reconstructed from the probabilities of the hidden units.</summary>
    private static double SquaredError(RbmTransformer rbm, IDataView images) =>
        images.GetColumn<float[]>("Features").Average(image => image.Zip(rbm.Reconstruct(image), (pixel, rebuilt) => (pixel - rebuilt) * (pixel - rebuilt)).Average());

    private static void SaveRows(string path, params float[][][] rows) =>
        TilePicture.SavePng(path, [.. rows.SelectMany(row => row)], MnistData.Side, MnistData.Side, Images);
}
