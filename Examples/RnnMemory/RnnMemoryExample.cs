using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.RnnMemory;

/// <summary>The vanishing gradient: an LSTM remembers over a hundred time steps, a plain recurrent network does not.</summary>
internal sealed class RnnMemoryExample : IExample
{
    private const int ValidationRows = 1_000;
    private const int TestRows = 5_000;
    private const double Solved = 0.01;
    private const string PictureFile = "learning.png";

    private static readonly ExampleOption Length = new("length", "N", "Length of the sequences, in time steps.", "100");
    private static readonly ExampleOption Rows = new("rows", "N", "Number of training sequences.", "20000");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training data.", "10");

    public string Name => "rnn-memory";

    public ExampleHelp Help => new(
        "Shows on the adding problem that an LSTM remembers what a plain recurrent network forgets.",
        "none; the sequences are drawn at random",
        "about 6 minutes of one core",
        $"{PictureFile} (the validation error of both networks, epoch by epoch), and checkpoint folders for --resume");

    public IReadOnlyList<ExampleOption> Options => [Length, Rows, Epochs, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var length = arguments.Integer(Length, least: 2);
        var trainSet = AddingProblem.Create(mlContext, arguments.Integer(Rows, least: 1), length, seed);
        var validationSet = AddingProblem.Create(mlContext, ValidationRows, length, seed + 1);
        var testSet = AddingProblem.Create(mlContext, TestRows, length, seed + 2);

        var output = new OutputFolder(Name);
        var table = new Table().Border(TableBorder.Rounded).Title($"Adding problem, {length} time steps").AddColumns("network", "test MSE", "R²", "seconds");
        var histories = new List<(string Title, TrainingHistory History)>();
        var result = new ResultLine();
        foreach (var (title, name, cell) in new[] { ("LSTM", "lstm", RecurrentCell.Lstm), ("plain RNN (tanh)", "rnn", RecurrentCell.Rnn) })
        {
            var watch = Stopwatch.StartNew();
            var options = CreateOptions(cell, arguments);
            options.Progress = new ConsoleProgress(title);
            options.CancellationToken = cancellationToken;
            output.KeepEpochs(options, name, arguments);
            using var model = mlContext.Regression.Trainers.Recurrent(options).Fit(trainSet, validationSet);
            var seconds = watch.Elapsed.TotalSeconds;
            var metrics = mlContext.Regression.Evaluate(model.Transform(testSet));
            table.AddRow(title, $"{metrics.MeanSquaredError:0.00000}", $"{metrics.RSquared:0.0000}", $"{seconds:0}");
            result[$"{name}.mse"] = metrics.MeanSquaredError;
            result[$"{name}.seconds"] = Math.Round(seconds, 1);
            histories.Add((title, model.History));
        }
        table.AddRow("always the mean", $"{AddingProblem.Baseline:0.00000}", "0", "");
        AnsiConsole.Write(table);

        LearningPicture.Save(histories, output.PathOf(PictureFile));
        output.Print((PictureFile, "the validation error of both networks, epoch by epoch"));
        result["mean.mse"] = AddingProblem.Baseline;
        if (result["lstm.mse"] >= Solved)
            result.Failure = $"The LSTM did not solve the problem: its mean squared error is not below {Solved}.";
        return result;
    }

    private static RecurrentRegressionTrainer.Options CreateOptions(RecurrentCell cell, ExampleArguments arguments) => new()
    {
        Cell = cell,
        StepSize = AddingProblem.StepSize,
        HiddenUnits = 64,
        BatchSize = 64,
        LearningRate = 0.01,
        LearningRateSchedule = LearningRateSchedule.Cosine(),
        Epochs = arguments.Integer(Epochs, least: 1),
        ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
    };
}
