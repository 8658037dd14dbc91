using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.RnnMemory;

/// <summary>The vanishing gradient: an LSTM remembers over a hundred steps, a plain recurrent network does not.</summary>
internal sealed class RnnMemoryExample : IExample
{
    private const int ValidationRows = 1_000;
    private const int TestRows = 5_000;
    private const double Solved = 0.01;
    private const string PictureFile = "learning.png";

    private static readonly ExampleOption Length = new("length", "N", "how many steps a sequence has (default 100)", "100");
    private static readonly ExampleOption Rows = new("rows", "N", "how many sequences to learn from (default 20000)", "20000");
    private static readonly ExampleOption Epochs = new("epochs", "N", "how many epochs to train (default 10)", "10");
    private static readonly ExampleOption Threads = new("threads", "N", "how many CPU threads to use (default: as the networks' size suggests)");
    private static readonly ExampleOption Seed = new("seed", "N", "the seed of everything random (default 1)", "1");

    public string Name => "rnn-memory";

    public string Summary => "the adding problem: an LSTM remembers what a plain recurrent network forgets (chapter 8)";

    public IReadOnlyList<ExampleOption> Options => [Length, Rows, Epochs, Threads, Seed];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(Seed, least: 0);
        var mlContext = new MLContext(seed);
        var length = arguments.Integer(Length, least: 2);
        var trainSet = AddingProblem.Create(mlContext, arguments.Integer(Rows, least: 1), length, seed);
        var validationSet = AddingProblem.Create(mlContext, ValidationRows, length, seed + 1);
        var testSet = AddingProblem.Create(mlContext, TestRows, length, seed + 2);

        var table = new Table().Border(TableBorder.Rounded).Title($"Adding problem, {length} steps").AddColumns("network", "test MSE", "R²", "seconds");
        var histories = new List<(string Title, TrainingHistory History)>();
        var errors = new List<double>();
        foreach (var (title, cell) in new[] { ("LSTM", RecurrentCell.Lstm), ("plain RNN (tanh)", RecurrentCell.Rnn) })
        {
            var watch = Stopwatch.StartNew();
            using var model = TrainingProgressBar.Show(title, progress =>
            {
                var options = CreateOptions(cell, arguments);
                options.Progress = progress;
                options.CancellationToken = cancellationToken;
                return mlContext.Regression.Trainers.Recurrent(options).Fit(trainSet, validationSet);
            });
            var seconds = watch.Elapsed.TotalSeconds;
            var metrics = mlContext.Regression.Evaluate(model.Transform(testSet));
            table.AddRow(title, $"{metrics.MeanSquaredError:0.00000}", $"{metrics.RSquared:0.0000}", $"{seconds:0}");
            errors.Add(metrics.MeanSquaredError);
            histories.Add((title, model.History));
        }
        table.AddRow("always the mean", $"{AddingProblem.Baseline:0.00000}", "0", "");
        AnsiConsole.Write(table);

        var output = new OutputFolder(Name);
        LearningPicture.Save(histories, output.PathOf(PictureFile));
        output.Print((PictureFile, "how both of them learnt"));
        return errors[0] < Solved ? 0 : 1;
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
        ThreadCount = arguments.OptionalInteger(Threads, least: 1),
    };
}
