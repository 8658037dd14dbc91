using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Digits;

/// <summary>
/// A neural network in an ML.NET pipeline from start to end: load, split, normalize, train, evaluate, save, load, predict.
/// </summary>
internal sealed class DigitsExample : IExample
{
    private const double LeastAccuracy = 0.9;
    private const string ModelFile = "model.zip";
    private const string LossFile = "loss.png";
    private const string ConfusionFile = "confusion.png";
    private const string TensorBoardFolder = "tensorboard";

    private static readonly ExampleOption Seeds = new("seeds", "N", "Number of trainings, with seeds 1 to N. The figures are their means.", "1");

    public string Name => "digits";

    public ExampleHelp Help => new(
        "Trains a network on 1,797 handwritten digits, evaluates it, saves it, loads it again and predicts with it.",
        ShippedData.Describe("digits.csv"),
        "about 3 seconds for each seed",
        $"{ModelFile} (the pipeline), {LossFile}, {ConfusionFile} and the folder {TensorBoardFolder}, all of seed 1");

    public IReadOnlyList<ExampleOption> Options => [Seeds];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seedCount = arguments.Integer(Seeds, least: 1);
        var output = new OutputFolder(Name);
        var runFolder = Path.Combine(output.PathOf(TensorBoardFolder), $"{DateTime.Now:yyyyMMdd-HHmmss}");

        var training = DigitsTraining.Run(seed: 1, runFolder, cancellationToken);
        DigitsReport.PrintConfusion(training.Metrics.ConfusionMatrix);
        AnsiConsole.WriteLine($"Test accuracy {training.Metrics.MicroAccuracy:0.0000}, log-loss {training.Metrics.LogLoss:0.0000}");

        // A fitted pipeline is a chain of transformers; the network among them knows how its training went.
        training.Model.Network().History!.SavePng(output.PathOf(LossFile));
        training.Metrics.ConfusionMatrix.SavePng(output.PathOf(ConfusionFile), training.Model.Transform(training.TestSet).Schema["Label"]);
        var isSame = SaveAndLoad(training, output.PathOf(ModelFile));
        output.Print(
            (ModelFile, "the pipeline, ready to load"),
            (LossFile, "loss and accuracy, epoch by epoch"),
            (ConfusionFile, "the confusion matrix"),
            (TensorBoardFolder, $"for tensorboard --logdir {output.PathOf(TensorBoardFolder)}"));

        var metrics = new List<MulticlassClassificationMetrics> { training.Metrics };
        for (var seed = 2; seed <= seedCount; seed++)
            metrics.Add(DigitsTraining.Run(seed, tensorBoardFolder: null, cancellationToken).Metrics);
        var accuracies = metrics.ConvertAll(ofSeed => ofSeed.MicroAccuracy);
        if (seedCount > 1)
            DigitsReport.PrintAccuracies(accuracies);
        var result = new ResultLine
        {
            ["accuracy"] = accuracies.Average(),
            ["log-loss"] = metrics.Average(ofSeed => ofSeed.LogLoss),
            Failure = !isSame ? "The loaded model gives other scores than the trained one."
                : accuracies.Average() < LeastAccuracy ? $"The accuracy is below {LeastAccuracy}."
                : null,
        };
        for (var seed = 1; seedCount > 1 && seed <= seedCount; seed++)
            result[$"seed{seed}.accuracy"] = accuracies[seed - 1];
        return result;
    }

    /// <summary>Saves the pipeline and predicts with what was loaded; false if it predicts anything else than before.</summary>
    private static bool SaveAndLoad(DigitsTraining training, string modelPath)
    {
        // The whole pipeline goes into the file, normalization included.
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
        if (isSame)
            AnsiConsole.WriteLine("The loaded model gives exactly the scores of the trained one.");
        return isSame;
    }
}
