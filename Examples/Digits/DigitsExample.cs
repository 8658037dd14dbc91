using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Digits;

/// <summary>
/// A neural network in an ML.NET pipeline from start to end: load, split, normalise, train, evaluate, save, load, predict.
/// </summary>
internal sealed class DigitsExample : IExample
{
    private const double LeastAccuracy = 0.9;
    private const string ModelFile = "model.zip";
    private const string LossFile = "loss.png";
    private const string ConfusionFile = "confusion.png";
    private const string TensorBoardFolder = "tensorboard";

    private static readonly ExampleOption Seeds = new("seeds", "N", "train N times, with seeds 1 to N, and print the mean accuracy (default 1)", "1");

    public string Name => "digits";

    public string Summary => "1,797 handwritten digits (shipped): train, evaluate, save, load and predict";

    public IReadOnlyList<ExampleOption> Options => [Seeds];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seedCount = arguments.Integer(Seeds, least: 1);
        var output = new OutputFolder(Name);
        var runFolder = Path.Combine(output.PathOf(TensorBoardFolder), $"{DateTime.Now:yyyyMMdd-HHmmss}");

        var training = DigitsTraining.Run(seed: 1, runFolder, cancellationToken);
        DigitsReport.PrintConfusion(training.Metrics.ConfusionMatrix);
        AnsiConsole.WriteLine($"Test accuracy {training.Metrics.MicroAccuracy:0.0000}, log-loss {training.Metrics.LogLoss:0.0000}");

        // A fitted pipeline is a chain of transformers; the network among them knows how its training went.
        var network = training.Model.OfType<MulticlassNetworkTransformer>().Single();
        network.History.SavePng(output.PathOf(LossFile));
        training.Metrics.ConfusionMatrix.SavePng(output.PathOf(ConfusionFile));
        var isSame = SaveAndLoad(training, output.PathOf(ModelFile));
        output.Print(
            (ModelFile, "the pipeline, ready to load"),
            (LossFile, "loss and accuracy, epoch by epoch"),
            (ConfusionFile, "the confusion matrix"),
            (TensorBoardFolder, $"for tensorboard --logdir {output.PathOf(TensorBoardFolder)}"));

        var accuracies = new List<double> { training.Metrics.MicroAccuracy };
        for (var seed = 2; seed <= seedCount; seed++)
            accuracies.Add(DigitsTraining.Run(seed, tensorBoardFolder: null, cancellationToken).Metrics.MicroAccuracy);
        if (seedCount > 1)
            DigitsReport.PrintAccuracies(accuracies);
        return isSame && accuracies.Average() >= LeastAccuracy ? 0 : 1;
    }

    /// <summary>Saves the pipeline and predicts with what was loaded; false when it predicts anything else than before.</summary>
    private static bool SaveAndLoad(DigitsTraining training, string modelPath)
    {
        // The whole pipeline goes into the file, normalisation included.
        training.MLContext.Model.Save(training.Model, training.TestSet.Schema, modelPath);

        // A fresh context stands for another program: nothing needs to be registered there.
        var freshContext = new MLContext();
        var loaded = freshContext.Model.Load(modelPath, out _);
        var engine = freshContext.Model.CreatePredictionEngine<DigitImage, DigitPrediction>(loaded);
        var someImages = freshContext.Data.CreateEnumerable<DigitImage>(freshContext.Data.TakeRows(training.TestSet, 4), reuseRowObject: false);
        DigitsReport.PrintDigits([.. someImages.Select(image => (image, engine.Predict(image)))]);

        var scores = training.Model.Transform(training.TestSet).GetColumn<float[]>("Score");
        var loadedScores = loaded.Transform(training.TestSet).GetColumn<float[]>("Score");
        var isSame = scores.Zip(loadedScores).All(pair => pair.First.SequenceEqual(pair.Second));
        AnsiConsole.WriteLine(isSame
            ? "The loaded model gives exactly the scores of the trained one."
            : "ERROR: the loaded model gives other scores than the trained one.");
        return isSame;
    }
}
