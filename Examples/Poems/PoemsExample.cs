using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Poems;

/// <summary>Chinese quatrains that keep tone and rhyme: the book's chapter 13.2, with the acrostics that it wishes for.</summary>
internal sealed class PoemsExample : IExample
{
    private static readonly ExampleOption CheckOnly = ExampleOption.Flag("check", "Only prints which rules the poets keep.");
    private static readonly ExampleOption Generate = ExampleOption.Flag("generate", "Only writes, with the model of an earlier run.");
    private static readonly ExampleOption Name0 = new("name", "NAME", "Name of the model's files.", "poet");
    private static readonly ExampleOption Keyword = new("keyword", "TEXT", "What the poems are about, in traditional characters.", "春江花月");
    private static readonly ExampleOption Acrostic = new("acrostic", "TEXT", "The four characters that the lines of one poem begin with.", "天下太平");
    private static readonly ExampleOption Pattern = new("pattern", "NAME", "One of the eight patterns, such as 7A', or 5 or 7 for any of that length.", "7");
    private static readonly ExampleOption Rhyme = new("rhyme", "GROUP", "A rhyme group of the level tone, such as 東.", DefaultText: "any");
    private static readonly ExampleOption Count = new("count", "N", "Number of poems for the table of conformity.", "1000");
    private static readonly ExampleOption Font = new("font", "FILE", "Font file with Chinese characters, for the picture.", DefaultText: "an installed one");
    private static readonly ExampleOption Judge = new("judge", "FILE", "Model of another run, such as one of another seed, that judges the new poems.", DefaultText: "none");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the poems.", DefaultText: "the network's own");
    private static readonly ExampleOption Units = new("units", "N", "Number of hidden units of each layer.", DefaultText: "the network's own");
    private static readonly ExampleOption Dropout = new("dropout", "P", "Dropout rate.", DefaultText: "the network's own");
    private static readonly ExampleOption Rate = new("rate", "R", "Learning rate.", DefaultText: "the network's own");
    private static readonly ExampleOption Batch = new("batch", "N", "Number of poems of a batch.", DefaultText: "the network's own");
    private static readonly ExampleOption Average = new("average", "D", "Decay of the moving average of the weights, such as 0.998.", DefaultText: "none");
    private static readonly ExampleOption HalfPrecision = ExampleOption.Flag("bfloat16", "The output layer trains in bfloat16: 40 % less time on processors that have it, much more on others.");
    private static readonly ExampleOption LineByLine = ExampleOption.Flag("line-by-line", "The network writes line by line from the lines before.");
    private static readonly ExampleOption PlainTokens = ExampleOption.Flag("plain-tokens", "The network does not see tones and rhymes of characters.");

    public string Name => "poems";

    public ExampleHelp Help => new(
        "Trains a language model on Tang quatrains and writes new ones that keep tone and rhyme.",
        $"{PoemFile.Data}",
        "about half an hour of one core to train (20 minutes with --bfloat16 where the processor has it), some minutes with --generate, 5 seconds with --check",
        "the model (NAME.zip), training curves (NAME-history.png), a checkpoint folder for --resume, the written poems (NAME-poems.txt) and a picture of some (NAME-poems.png)");

    public IReadOnlyList<ExampleOption> Options =>
        [PoemFile.Data.Option, CheckOnly, Generate, Name0, Keyword, Acrostic, Pattern, Rhyme, Count, Font, Judge, Epochs, Units, Dropout, Rate, Batch, Average, HalfPrecision, LineByLine, PlainTokens, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var poems = PoemFile.Read(arguments);
        var result = new ResultLine();
        var table = new ConformityTable(mlContext, result);
        table.Add("poets", "the poets", PoemFile.View(mlContext, poems.All), "Poem");
        if (arguments.IsGiven(CheckOnly))
        {
            table.Print();
            return result;
        }
        var output = new OutputFolder(Name);
        var name = arguments.Text(Name0);
        using var poet = arguments.IsGiven(Generate) ? Load(mlContext, output.PathOf($"{name}.zip")) : Train(mlContext, arguments, poems, output, name, cancellationToken);
        var test = PoemFile.View(mlContext, poems.Test);
        (result["test.perplexity"], result["test.perplexity-with-title"]) = (poet.Evaluate(test).Perplexity, poet.Evaluate(test, withTitles: true).Perplexity);
        AnsiConsole.WriteLine($"Perplexity per character of the {poems.Test.Count} test poems: {result["test.perplexity"]:0.0}; with their titles: {result["test.perplexity-with-title"]:0.0}.");
        using var judge = arguments.OptionalText(Judge) is { } judgePath ? Load(mlContext, judgePath) : null;
        if (judge != null)
            result["test.perplexity-of-judge"] = judge.Evaluate(test).Perplexity;
        PoemWriting.Run(mlContext, poet, poems, table, new PoemWishes(arguments.Text(Keyword), arguments.Text(Acrostic), arguments.Text(Pattern), arguments.OptionalText(Rhyme) ?? "", arguments.Integer(Count, least: 1), arguments.OptionalText(Font), judge), output, name, result, cancellationToken);
        output.Print(($"{name}.zip", "the model"), ($"{name}-history.png", "the training curves"), ($"{name}-poems.txt", "the poems"), ($"{name}-poems.png", "some of them in vertical writing"));
        return result;
    }

    private static QuatrainTransformer Load(MLContext mlContext, string path)
    {
        if (!File.Exists(path))
            throw new UsageException($"There is no model '{path}' yet. Train one without --{Generate.Name}.");
        return (QuatrainTransformer)mlContext.Model.Load(path, out _);
    }

    private static QuatrainTransformer Train(MLContext mlContext, ExampleArguments arguments, PoemFile poems, OutputFolder output, string name, CancellationToken cancellationToken)
    {
        var options = new QuatrainEstimator.Options
        {
            AcrosticColumnName = nameof(Poem.Acrostic),
            PatternColumnName = nameof(Poem.Pattern),
            RhymeGroupColumnName = nameof(Poem.RhymeGroup),
            SeedColumnName = nameof(Poem.Seed),
            Architecture = arguments.IsGiven(LineByLine) ? QuatrainArchitecture.LineByLine : QuatrainArchitecture.Plain,
            UseToneFeatures = !arguments.IsGiven(PlainTokens),
        };
        var network = options.Network;
        network.Epochs = arguments.OptionalInteger(Epochs, least: 1) ?? network.Epochs;
        network.HiddenUnits = arguments.OptionalInteger(Units, least: 1) ?? network.HiddenUnits;
        network.BatchSize = arguments.OptionalInteger(Batch, least: 1) ?? network.BatchSize;
        network.Dropout = arguments.OptionalText(Dropout) == null ? network.Dropout : arguments.Number(Dropout, least: 0);
        network.LearningRate = arguments.OptionalText(Rate) == null ? network.LearningRate : arguments.Number(Rate, least: 0);
        network.OutputPrecision = arguments.IsGiven(HalfPrecision) ? Precision.BFloat16 : network.OutputPrecision;
        network.EmaDecay = arguments.OptionalText(Average) == null ? null : arguments.Number(Average, least: 0);
        network.ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        network.CancellationToken = cancellationToken;
        network.Progress = new ConsoleProgress($"{name}: {network.NumberOfLayers} x {network.HiddenUnits} hidden units");
        output.KeepEpochs(network, name, arguments);
        var training = PoemFile.View(mlContext, poems.Training);
        var poet = mlContext.LanguageModels.Trainers.Quatrains(options).Fit(training, PoemFile.View(mlContext, poems.Validation));
        mlContext.Model.Save(poet, training.Schema, output.PathOf($"{name}.zip"));
        poet.History.SavePng(output.PathOf($"{name}-history.png"));
        return poet;
    }
}
