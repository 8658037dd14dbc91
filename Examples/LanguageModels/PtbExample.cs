using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.LanguageModels;

/// <summary>The Penn Treebank: the language models of the book's chapter 8, and one of our own.</summary>
internal sealed class PtbExample : IExample
{
    private static readonly ExternalData Data = new("The Penn Treebank", "data", "DIR", "Folder of ptb.train.txt, ptb.valid.txt and ptb.test.txt.", "ptb");
    private static readonly ExampleOption Size = new("size", string.Join('|', PtbNetworks.Names), "Network to train.", PtbNetworks.Small);

    public string Name => "ptb";

    public ExampleHelp Help => new(
        "Trains a language model over words on the Penn Treebank: a published one (small, medium or large), or our own (best).",
        $"{Data}",
        "about 57 minutes of one core for small, 45 for best, many hours for medium and large",
        "the model (SIZE.zip), its weights (SIZE.safetensors), training curves (SIZE-history.png) and a checkpoint folder for --resume");

    public IReadOnlyList<ExampleOption> Options => [Data.Option, Size, .. TextTraining.CommandLine];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(TextTraining.SeedOf(arguments));
        var size = arguments.Choice(Size, PtbNetworks.Names);
        var folder = Data.Find(arguments);
        var (trainSet, validationSet, testSet) = (Load("train"), Load("valid"), Load("test"));
        var training = new TextTraining(size, PtbNetworks.Create(size), new OutputFolder(Name));
        using var model = training.Fit(mlContext, arguments, trainSet, validationSet, cancellationToken);
        PrintEpochs(model.History);
        var result = PrintPerplexities(mlContext, model, validationSet, testSet);
        training.PrintFiles(model);
        return result;

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

    private static ResultLine PrintPerplexities(MLContext mlContext, LanguageModelTransformer model, IDataView validationSet, IDataView testSet)
    {
        var operations = mlContext.LanguageModels;
        var table = new Table().Border(TableBorder.Rounded).AddColumns("perplexity", "validation", "test");
        var result = new ResultLine();
        AddRow("of the whole text, as in the literature", "perplexity", data => operations.EvaluateContinuous(model, data));
        AddRow("of each sentence on its own", "sentence-perplexity", data => operations.Evaluate(model.Transform(data)));
        AnsiConsole.Write(table);
        return result;

        void AddRow(string title, string name, Func<IDataView, LanguageModelMetrics> evaluate)
        {
            var (validation, test) = (evaluate(validationSet).Perplexity, evaluate(testSet).Perplexity);
            table.AddRow(title, $"{validation:0.00}", $"{test:0.00}");
            result[$"validation.{name}"] = validation;
            result[$"test.{name}"] = test;
        }
    }
}
