using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.LanguageModels;

/// <summary>The Penn Treebank: the language models of the book's chapter 8, and one of our own.</summary>
internal sealed class PtbExample : IExample
{
    private static readonly ExampleOption Data = new("data", "DIR", "the folder of ptb.train.txt, ptb.valid.txt and ptb.test.txt");
    private static readonly ExampleOption Size = new("size", string.Join('|', PtbNetworks.Names), $"which network to train (default {PtbNetworks.Small})", PtbNetworks.Small);

    public string Name => "ptb";

    public string Summary => "the Penn Treebank (not shipped): the language models of the book's chapter 8, and a better one";

    public IReadOnlyList<ExampleOption> Options => [Data, Size, .. TextTraining.CommandLine];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(TextTraining.SeedOf(arguments));
        var size = arguments.Choice(Size, PtbNetworks.Names);
        var folder = arguments.Text(Data);
        var (trainSet, validationSet, testSet) = (Load("train"), Load("valid"), Load("test"));
        var training = new TextTraining(size, PtbNetworks.Create(size), new OutputFolder(Name));
        using var model = training.Fit(mlContext, arguments, trainSet, validationSet, cancellationToken);
        PrintEpochs(model.History);
        PrintPerplexities(mlContext, model, validationSet, testSet);
        training.PrintFiles(model);
        return 0;

        IDataView Load(string part) => mlContext.Data.LoadFromTextLines(Path.Combine(folder, $"ptb.{part}.txt"));
    }

    private static void PrintEpochs(TrainingHistory history)
    {
        if (history.Epochs.Count == 0)
            return;
        var table = new Table().Border(TableBorder.Rounded).AddColumns("epoch", "learning rate", "train perplexity", "valid perplexity", "words/s");
        foreach (var epoch in history.Epochs)
            table.AddRow($"{epoch.Epoch}", $"{epoch.LearningRate:G3}", $"{Math.Exp(epoch.TrainingLoss):0.00}", $"{Math.Exp(epoch.ValidationLoss!.Value):0.00}", $"{epoch.Examples / epoch.Seconds:N0}");
        AnsiConsole.Write(table);
    }

    private static void PrintPerplexities(MLContext mlContext, LanguageModelTransformer model, IDataView validationSet, IDataView testSet)
    {
        var operations = mlContext.LanguageModels;
        var table = new Table().Border(TableBorder.Rounded).AddColumns("perplexity", "validation", "test");
        AddRow("of the whole text, as in the literature", data => operations.EvaluateContinuous(model, data));
        AddRow("of each sentence on its own", data => operations.Evaluate(model.Transform(data)));
        AnsiConsole.Write(table);

        void AddRow(string title, Func<IDataView, LanguageModelMetrics> evaluate) =>
            table.AddRow(title, $"{evaluate(validationSet).Perplexity:0.00}", $"{evaluate(testSet).Perplexity:0.00}");
    }
}
