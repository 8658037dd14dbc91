using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.LanguageModels;

/// <summary>A network reads Shakespeare character by character, then writes a scene.</summary>
internal sealed class ShakespeareExample : IExample
{
    private const double TrainingShare = 0.95;

    private static readonly ExampleOption Data = new("data", "FILE", "the text of tinyshakespeare, input.txt; not needed with --generate");
    private static readonly ExampleOption Size = new("size", string.Join('|', ShakespeareNetworks.Names), $"which network (default {ShakespeareNetworks.Small})", ShakespeareNetworks.Small);
    private static readonly ExampleOption Generate = ExampleOption.Flag("generate", "only writes, with the model that was saved");
    private static readonly ExampleOption Prompt = new("prompt", "TEXT", "how the scene begins (default ROMEO:)", "ROMEO:");
    private static readonly ExampleOption Temperature = new("temperature", "T", "how bold the writer is: 0 takes the likeliest character always, 1 draws as learnt (default 0.8)", "0.8");
    private static readonly ExampleOption Length = new("length", "N", "how many characters to write (default 1000)", "1000");

    public string Name => "shakespeare";

    public string Summary => "a network learns tinyshakespeare (not shipped) by characters and writes a scene (chapter 8)";

    public IReadOnlyList<ExampleOption> Options => [Data, Size, Generate, Prompt, Temperature, Length, .. TextTraining.CommandLine];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(TextTraining.SeedOf(arguments));
        var size = arguments.Choice(Size, ShakespeareNetworks.Names);
        var writing = new GenerationOptions
        {
            Temperature = arguments.Number(Temperature, least: 0),
            MaximumTokens = arguments.Integer(Length, least: 1),
            Seed = TextTraining.SeedOf(arguments),
        };
        var training = new TextTraining(size, ShakespeareNetworks.Create(size), new OutputFolder(Name));
        using var model = arguments.IsGiven(Generate) ? Load(mlContext, training.ModelPath) : Train(mlContext, arguments, training, cancellationToken);
        Write(model, arguments.Text(Prompt), writing, cancellationToken);
        return 0;
    }

    private static LanguageModelTransformer Load(MLContext mlContext, string path)
    {
        if (!File.Exists(path))
            throw new UsageException($"There is no model '{path}' yet; train one, without --{Generate.Name}.");
        return (LanguageModelTransformer)mlContext.Model.Load(path, out _);
    }

    private static LanguageModelTransformer Train(MLContext mlContext, ExampleArguments arguments, TextTraining training, CancellationToken cancellationToken)
    {
        var lines = mlContext.Data.LoadFromTextLines(arguments.Text(Data));
        var trainingLines = CountTrainingLines(lines);
        var (trainSet, validationSet) = (mlContext.Data.TakeRows(lines, trainingLines), mlContext.Data.SkipRows(lines, trainingLines));
        var model = training.Fit(mlContext, arguments, trainSet, validationSet, cancellationToken);
        var metrics = mlContext.LanguageModels.EvaluateContinuous(model, validationSet);
        AnsiConsole.WriteLine($"Validation: {metrics.CrossEntropy:0.0000} nats a character, perplexity {metrics.Perplexity:0.000}, on {metrics.Tokens:N0} characters.");
        training.PrintFiles(model);
        return model;
    }

    /// <summary>The number of lines that have the first 95 % of the characters.</summary>
    private static long CountTrainingLines(IDataView lines)
    {
        var ends = new List<long>();
        var characters = 0L;
        foreach (var line in lines.GetColumn<ReadOnlyMemory<char>>("Text"))
        {
            characters += line.Length + 1; // the line feed
            ends.Add(characters);
        }
        return ends.TakeWhile(end => end <= TrainingShare * characters).LongCount();
    }

    private static void Write(LanguageModelTransformer model, string prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        Console.WriteLine();
        Console.Write(prompt);
        foreach (var piece in model.Generate(prompt, options))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Console.Write(piece);
        }
        Console.WriteLine();
    }
}
