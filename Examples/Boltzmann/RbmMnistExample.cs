using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.Boltzmann;

/// <summary>One restricted Boltzmann machine on MNIST, without labels: what it looks for, what it remembers of an image, what it dreams of.</summary>
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
    private const string DreamsFile = "samples-from-noise.png";
    private const string DaydreamsFile = "samples-from-images.png";
    private const string HistoryFile = "history.png";
    private const string ModelFile = "model.zip";

    private static readonly int[] Steps = [1, 10, 100, 1000];

    private static readonly ExampleOption Hidden = new("hidden", "N", "the number of hidden units (default 500)", "500");
    private static readonly ExampleOption Epochs = new("epochs", "N", "how many epochs to train (default 15)", "15");
    private static readonly ExampleOption Persistent = ExampleOption.Flag("persistent", "chains that go on from batch to batch, instead of starting from the data");

    public string Name => "rbm-mnist";

    public string Summary => "MNIST (not shipped): a restricted Boltzmann machine, its filters, reconstructions and samples as pictures";

    public IReadOnlyList<ExampleOption> Options => [MnistOptions.Data, Hidden, Epochs, Persistent, MnistOptions.Threads, MnistOptions.Seed];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(MnistOptions.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var folder = arguments.Text(MnistOptions.Data);
        var options = CreateOptions(arguments);
        options.CancellationToken = cancellationToken;
        var trainSet = MnistData.LoadTraining(mlContext, folder);
        var testSet = MnistData.LoadTest(mlContext, folder);
        var output = new OutputFolder(Name);

        var watch = Stopwatch.StartNew();
        using var machine = TrainingProgressBar.Show($"784-{options.HiddenLayers[0].Units}, {(options.PersistentChains == null ? "CD-1" : "persistent CD")}", progress =>
        {
            options.Progress = progress;
            return mlContext.Transforms.Rbm(options).Fit(trainSet, testSet);
        });
        var seconds = watch.Elapsed.TotalSeconds;
        var history = machine.Histories[0];
        Print(history.Epochs[^1], seconds);

        var images = mlContext.Data.TakeRows(testSet, Images).GetColumn<float[]>("Features").ToArray();
        machine.SaveFiltersPng(output.PathOf(FiltersFile), MnistData.Side, MnistData.Side);
        SaveRows(output.PathOf(ReconstructionsFile), images, Array.ConvertAll(images, machine.Reconstruct));
        SaveRows(output.PathOf(DreamsFile), Array.ConvertAll(Steps, steps => machine.Sample(Images, steps, seed)));
        SaveRows(output.PathOf(DaydreamsFile), [images, .. Steps.Select(steps => machine.Sample(images, steps, seed))]);
        history.SavePng(output.PathOf(HistoryFile));
        mlContext.Model.Save(machine, trainSet.Schema, output.PathOf(ModelFile));
        var stepNames = string.Join(", ", Steps);
        output.Print(
            (FiltersFile, "what the first hidden units look for: white for ink, black for none, grey for either"),
            (ReconstructionsFile, "test images, and below what the hidden units say that they were"),
            (DreamsFile, $"samples after {stepNames} Gibbs steps from noise, a row each"),
            (DaydreamsFile, $"test images, and samples after {stepNames} Gibbs steps from them, a row each"),
            (HistoryFile, "how training went, epoch by epoch"),
            (ModelFile, "the machine"));
        return 0;
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
            // Chains that persist need weights that change slowly, in the end hardly at all.
            LearningRateSchedule = isPersistent ? LearningRateSchedule.Cosine() : LearningRateSchedule.Constant(),
            Optimizer = new SgdOptimizer { Momentum = isPersistent ? 0 : Momentum },
            L2Regularization = L2,
            PersistentChains = isPersistent ? BatchSize : null,
            ThreadCount = arguments.OptionalInteger(MnistOptions.Threads, least: 1),
        };
    }

    private static void Print(EpochRecord last, double seconds)
    {
        var table = new Table().Border(TableBorder.Rounded).Title($"after {last.Epoch} epochs, {seconds:N0} seconds")
            .AddColumns("", "squared error: a pixel", "an image", "pseudo-log-likelihood", "free energy");
        AddRow("training images", last.Training);
        AddRow("test images", last.Validation);
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine("Images are rebuilt from drawn states of the hidden units; the training images while the weights change.");
        AnsiConsole.WriteLine($"Free-energy gap between test and training images: {last.Validation["freeEnergyGap"]:0.00}");

        void AddRow(string name, IReadOnlyDictionary<string, double> metrics) => table.AddRow(
            name,
            $"{metrics["loss"]:0.00000}",
            $"{metrics["loss"] * MnistData.Side * MnistData.Side:0.000}",
            $"{metrics["pseudoLogLikelihood"]:0.00}",
            $"{metrics["freeEnergy"]:0.00}");
    }

    private static void SaveRows(string path, params float[][][] rows) =>
        TilePicture.SavePng(path, [.. rows.SelectMany(row => row)], MnistData.Side, MnistData.Side, Images);
}
