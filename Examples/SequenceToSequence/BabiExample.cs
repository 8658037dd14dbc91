using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.SequenceToSequence;

/// <summary>A network books restaurants: dialogs whose answers are known exactly.</summary>
internal sealed class BabiExample : IExample
{
    private const int Shown = 5;

    private static readonly ExternalData Data = new("The bAbI dialog tasks", "data", "DIR", "Folder of the files dialog-babi-task*.txt.gz.", "babi_dialog");
    private static readonly ExampleOption Task = new("task", "1|5", "1: gathering what a reservation needs. 5: whole dialogs, with results of a knowledge base.", "1");
    private static readonly ExampleOption Units = new("units", "N", "Number of hidden units.", DefaultText: "128");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training turns.", DefaultText: "8 for task 1, 40 for task 5");
    private static readonly ExampleOption Batch = new("batch", "N", "Number of turns per training step.", "32");
    private static readonly ExampleOption Rate = new("rate", "X", "Learning rate.", "0.002");
    private static readonly ExampleOption Both = ExampleOption.Flag("bidirectional", "The encoder reads in both directions.");
    private static readonly ExampleOption Dropout = new("dropout", "X", "Dropout rate.", "0");
    private static readonly ExampleOption Cell = new("cell", "lstm|gru", "Recurrent cell.", "lstm");

    private static readonly ExampleOption Split = ExampleOption.Flag("split-names", "Names are read and written in their parts: resto _rome _cheap _thai _7stars _phone.");

    public string Name => "babi";

    public ExampleHelp Help => new(
        "Trains a network that answers in restaurant dialogs and measures how many of its answers are exactly right.",
        $"{Data}",
        "about a minute of one core for task 1, an hour and a half for task 5",
        "the model (taskN.zip), training curves (taskN-history.png) and a checkpoint folder for --resume");

    public IReadOnlyList<ExampleOption> Options => [Data.Option, Task, Cell, Units, Epochs, Batch, Rate, Both, Dropout, Split, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var task = int.Parse(arguments.Choice(Task, "1", "5"), CultureInfo.InvariantCulture);
        var folder = Data.Find(arguments);
        var output = new OutputFolder(Name);
        IDataView Load(string part) => LoadPart(mlContext, folder, task, part, arguments.IsGiven(Split));
        var (train, dev, test) = (Load("trn"), Load("dev"), Load("tst"));
        var options = CreateOptions(task, arguments, cancellationToken);
        output.KeepEpochs(options, $"task{task}", arguments);
        using var model = mlContext.SequenceToSequence.Trainers.Lstm(options).Fit(train, dev);
        mlContext.Model.Save(model, train.Schema, output.PathOf($"task{task}.zip"));
        model.History.SavePng(output.PathOf($"task{task}-history.png"));
        PrintEpochs(model.History);
        var result = Measure(mlContext, model, test);
        output.Print(($"task{task}.zip", "the model"), ($"task{task}-history.png", "the training curves"));
        return result;
    }

    private static SequenceToSequenceEstimator.Options CreateOptions(int task, ExampleArguments arguments, CancellationToken cancellationToken) => new()
    {
        Tokenization = Tokenization.Words(),
        Cell = arguments.Choice(Cell, "lstm", "gru") == "lstm" ? RecurrentCell.Lstm : RecurrentCell.Gru,
        HiddenUnits = arguments.OptionalInteger(Units, least: 1) ?? 128,
        CopyWords = true,
        BidirectionalEncoder = arguments.IsGiven(Both),
        Dropout = arguments.Number(Dropout, least: 0),
        BatchSize = arguments.Integer(Batch, least: 1),
        GradientClipNorm = 10,
        LearningRate = arguments.Number(Rate, least: 0),
        LearningRateSchedule = LearningRateSchedule.Cosine(warmupEpochs: 0.1),
        Epochs = arguments.OptionalInteger(Epochs, least: 1) ?? (task == 1 ? 8 : 40),
        // The longest dialog has 387 words, most of them names of up to six parts.
        MaximumSourceTokens = arguments.IsGiven(Split) ? 2000 : 400,
        MaximumTargetTokens = arguments.IsGiven(Split) ? 30 : 20,
        ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
        CancellationToken = cancellationToken,
        Progress = new ConsoleProgress($"task {task}"),
    };

    private static void PrintEpochs(TrainingHistory history)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("epoch", "train perplexity", "validation perplexity", "tokens/s");
        foreach (var epoch in history.Epochs)
            table.AddRow($"{epoch.Epoch}", $"{Math.Exp(epoch.TrainingLoss):0.0000}", $"{Math.Exp(epoch.ValidationLoss!.Value):0.0000}", $"{epoch.Examples / epoch.Seconds:N0}");
        AnsiConsole.Write(table);
    }

    private static IDataView LoadPart(MLContext mlContext, string folder, int task, string part, bool splits)
    {
        var data = mlContext.Data.LoadDialogues(
            Directory.GetFiles(folder, $"dialog-babi-task{task}-*-{part}.txt.gz"),
            new DialogueLoadingOptions { UserMarker = "<user> ", AnswerMarker = "<bot> ", FactMarker = "<fact> ", Separator = " " });
        if (!splits)
            return data;
        var rows = mlContext.Data.CreateEnumerable<Turn>(data, reuseRowObject: false).ToList();
        foreach (var row in rows)
            (row.Source, row.Target) = (SplitNames(row.Source), SplitNames(row.Target));
        return mlContext.Data.LoadFromEnumerable(rows);
    }

    private static string SplitNames(string text) => text.Replace("_", " _", StringComparison.Ordinal);

    private static ResultLine Measure(MLContext mlContext, SequenceToSequenceTransformer model, IDataView test)
    {
        // Answers are written once, not once for each column that is read.
        var answered = mlContext.Data.Cache(model.Transform(test));
        var metrics = mlContext.SequenceToSequence.Evaluate(answered, conversationColumnName: "Conversation");
        var pairs = answered.GetColumn<string>("Target").Zip(answered.GetColumn<string>(model.OutputColumnName));
        foreach (var (target, answer) in pairs.Where(pair => pair.First != pair.Second).Take(Shown))
            AnsiConsole.WriteLine($"instead of '{target}': '{answer}'");
        AnsiConsole.WriteLine($"Test: {metrics.ExactMatch:P2} of {metrics.Responses:N0} answers and {metrics.ConversationExactMatch:P2} of {metrics.Conversations:N0} dialogs are exactly right.");
        return new ResultLine { ["test.responses"] = metrics.ExactMatch, ["test.dialogs"] = metrics.ConversationExactMatch!.Value };
    }

    /// <summary>An answer and what was said before it.</summary>
    private sealed class Turn
    {
        public int Conversation { get; set; }

        public string Source { get; set; } = "";

        public string Target { get; set; } = "";
    }
}
