using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.LanguageModels;

/// <summary>A network reads Shakespeare character by character, then writes a scene.</summary>
internal sealed class ShakespeareExample : IExample
{
    private const double TrainingShare = 0.95;

    private static readonly ExternalData Data = new("The text of tinyshakespeare", "data", "FILE", "Text of tinyshakespeare, input.txt. Not needed with --generate.", "tinyshakespeare/input.txt");
    private static readonly ExampleOption Size = new("size", string.Join('|', ShakespeareNetworks.Names), "Network to train or to write with.", ShakespeareNetworks.Small);
    private static readonly ExampleOption Generate = ExampleOption.Flag("generate", "Only writes, with the model of an earlier run.");
    private static readonly ExampleOption Prompt = new("prompt", "TEXT", "Beginning of the scene.", "ROMEO:");
    private static readonly ExampleOption Temperature = new("temperature", "T", "Randomness of the text: 0 always takes the most probable character, 1 samples from the learned probabilities.", "0.8");
    private static readonly ExampleOption Length = new("length", "N", "Number of characters to write.", "1000");

    public string Name => "shakespeare";

    public ExampleHelp Help => new(
        "Trains a language model over characters on tinyshakespeare and writes a scene with it.",
        $"{Data}",
        "about 8 minutes of one core for small, 2 seconds with --generate",
        "the model (SIZE.zip), its weights (SIZE.safetensors), training curves (SIZE-history.png) and a checkpoint folder for --resume");

    public IReadOnlyList<ExampleOption> Options => [Data.Option, Size, Generate, Prompt, Temperature, Length, .. TextTraining.CommandLine];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
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
        var result = new ResultLine();
        using var model = arguments.IsGiven(Generate) ? Load(mlContext, training.ModelPath) : Train(mlContext, arguments, training, result, cancellationToken);
        result["characters-written"] = Write(model, arguments.Text(Prompt), writing, cancellationToken);
        return result;
    }

    private static LanguageModelTransformer Load(MLContext mlContext, string path)
    {
        if (!File.Exists(path))
            throw new UsageException($"There is no model '{path}' yet. Train one without --{Generate.Name}.");
        return (LanguageModelTransformer)ModelFile.Load(mlContext, path);
    }

    private static LanguageModelTransformer Train(MLContext mlContext, ExampleArguments arguments, TextTraining training, ResultLine result, CancellationToken cancellationToken)
    {
        var lines = mlContext.Data.LoadFromTextLines(Data.Find(arguments));
        var trainingLines = CountTrainingLines(lines);
        var (trainSet, validationSet) = (mlContext.Data.TakeRows(lines, trainingLines), mlContext.Data.SkipRows(lines, trainingLines));
        var model = training.Fit(mlContext, arguments, trainSet, validationSet, cancellationToken);
        var metrics = mlContext.LanguageModels.EvaluateContinuous(model, validationSet);
        AnsiConsole.WriteLine($"Validation: {metrics.CrossEntropy:0.0000} nats per character, perplexity {metrics.Perplexity:0.000}, on {metrics.Tokens:N0} characters.");
        result["validation.nats"] = metrics.CrossEntropy;
        result["validation.perplexity"] = metrics.Perplexity;
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

    private static int Write(LanguageModelTransformer model, string prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        Console.WriteLine();
        Console.Write(prompt);
        var characters = 0;
        foreach (var piece in model.Generate(prompt, options))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Console.Write(piece);
            characters += piece.Length;
        }
        Console.WriteLine();
        return characters;
    }
}
