using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.SequenceToSequence;

/// <summary>A chatbot that learned from conversations, and what it says.</summary>
internal sealed class ChatExample : IExample
{
    private const string Own = "own";
    private const string DeepQA = "deepqa";
    private const int Folds = 20; // as the data's description suggests: one of 20 to validate, one to test
    private const int ShownSources = 6;
    private const int MostMeasured = 2000;

    private static readonly ExternalData Data = new("The Self-dialogue Corpus", "data", "FILE", "dialogues.tsv.gz: a conversation a line, topic and turns parted by tabs. Not needed with --talk.", "selfdialogue/dialogues.tsv.gz");
    private static readonly ExampleOption Network = new("network", $"{Own}|{DeepQA}", "Network to train or to talk with: ours, with attention, or that of DeepQA.", Own);
    private static readonly ExampleOption Turns = new("turns", "N", "Number of turns before an answer that the network reads.", "2");
    private static readonly ExampleOption Pairs = new("pairs", "N", "Number of training turns.", DefaultText: "all");
    private static readonly ExampleOption Units = new("units", "N", "Number of hidden units.", DefaultText: "256, or 512 for deepqa");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training turns.", DefaultText: "3, or 30 for deepqa");
    private static readonly ExampleOption Talk = ExampleOption.Flag("talk", "Talks in the terminal, with the model of an earlier run. An empty line ends it.");
    private static readonly ExampleOption Answers = new("answers", "N", "Number of answers to show in a talk.", "3");
    private static readonly ExampleOption Temperature = new("temperature", "T", "Draws answers with this temperature in a talk; 0 searches for the most probable ones.", "0");

    private static Tokenization Words => Tokenization.Words(10_000, lowercase: true, splitPunctuation: true);

    public string Name => "chat";

    public ExampleHelp Help => new(
        "Trains a chatbot on conversations and measures how well it foresees answers, or talks with it.",
        $"{Data}",
        "about an hour for ours, many hours for deepqa",
        "the model (NETWORK.zip), training curves (NETWORK-history.png), what it looked at (NETWORK-attention.png) and a checkpoint folder for --resume");

    public IReadOnlyList<ExampleOption> Options => [Data.Option, Network, Turns, Pairs, Units, Epochs, Talk, Answers, Temperature, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var network = arguments.Choice(Network, Own, DeepQA);
        var turns = network == DeepQA ? 1 : arguments.Integer(Turns, least: 1);
        var output = new OutputFolder(Name);
        var path = output.PathOf($"{network}.zip");
        if (arguments.IsGiven(Talk))
            return Chat(mlContext, path, turns, arguments, cancellationToken);
        var pairs = mlContext.Data.ToAnswerPairs(mlContext.Data.LoadConversations(Data.Find(arguments), ["Topic"], Folds), textColumnName: "Text", turnColumnName: "Turn", numberOfTurns: turns);
        var (validation, test, train) = (mlContext.Data.FilterRowsByColumn(pairs, "Fold", upperBound: 1), mlContext.Data.FilterRowsByColumn(pairs, "Fold", 1, 2), mlContext.Data.FilterRowsByColumn(pairs, "Fold", 2));
        if (arguments.OptionalInteger(Pairs, least: 1) is { } count)
            train = mlContext.Data.TakeRows(train, count);
        var options = CreateOptions(network, arguments, cancellationToken);
        output.KeepEpochs(options, network, arguments);
        using var model = mlContext.SequenceToSequence.Trainers.Lstm(options).Fit(train, validation);
        mlContext.Model.Save(model, train.Schema, path);
        model.History.SavePng(output.PathOf($"{network}-history.png"));
        if (options.Attention != AttentionKind.None)
            model.Attention(test.GetColumn<string>("Source").First()).SavePng(output.PathOf($"{network}-attention.png"));
        PrintEpochs(model.History);
        var result = Measure(mlContext, model, test, train);
        output.Print(($"{network}.zip", "the model"), ($"{network}-history.png", "the training curves"), ($"{network}-attention.png", "what the first answer looked at"));
        return result;
    }

    private static SequenceToSequenceEstimator.Options CreateOptions(string network, ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var options = network == DeepQA ? SequenceToSequenceEstimator.Options.DeepQA() : CreateOwn(arguments.OptionalInteger(Units, least: 1) ?? 256);
        options.TargetColumnName = "Text";
        options.HiddenUnits = arguments.OptionalInteger(Units, least: 1) ?? options.HiddenUnits;
        options.Epochs = arguments.OptionalInteger(Epochs, least: 1) ?? options.Epochs;
        options.ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        options.CancellationToken = cancellationToken;
        options.Progress = new ConsoleProgress(network);
        return options;
    }

    /// <summary>The best use of an hour: most of its time would go into an output layer of 10,000 words, of which a sample does.</summary>
    private static SequenceToSequenceEstimator.Options CreateOwn(int units) => new()
    {
        Tokenization = Words,
        HiddenUnits = units,
        TieEmbeddings = true,
        Dropout = 0.1,
        NumberOfSampledTokens = 2000,
        MaximumSourceTokens = 60,
        MaximumTargetTokens = 40,
        BatchSize = 64,
        LearningRate = 0.002,
        LearningRateSchedule = LearningRateSchedule.Cosine(warmupEpochs: 0.1),
        GradientClipNorm = 5,
        Epochs = 3,
    };

    private static void PrintEpochs(TrainingHistory history)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("epoch", "train perplexity", "validation perplexity", "tokens/s");
        foreach (var epoch in history.Epochs)
            table.AddRow($"{epoch.Epoch}", $"{Math.Exp(epoch.TrainingLoss):0.00}", $"{Math.Exp(epoch.ValidationLoss!.Value):0.00}", $"{epoch.Examples / epoch.Seconds:N0}");
        AnsiConsole.Write(table);
    }

    private static ResultLine Measure(MLContext mlContext, SequenceToSequenceTransformer model, IDataView test, IDataView train)
    {
        var reference = mlContext.LanguageModels.Trainers.KneserNey(new KneserNeyEstimator.Options { TextColumnName = "Text", Tokenization = Words }).Fit(train);
        var scored = model.Transform(test);
        var tokens = scored.GetColumn<int>("TextTokens").Sum(count => (long)count);
        var perplexity = Math.Exp(-scored.GetColumn<float>("TextLogProbability").Sum(value => (double)value) / tokens);
        var counted = mlContext.LanguageModels.Evaluate(reference.Transform(test));
        AnsiConsole.WriteLine($"Test: perplexity {perplexity:0.00} of {tokens:N0} tokens, ends included, by a vocabulary of {((WordTokenizer)model.OutputTokenizer).Vocabulary.Count:N0}; n-grams of order 3: {counted.Perplexity:0.00}.");
        var result = new ResultLine { ["test.perplexity"] = perplexity, ["n-grams.perplexity"] = counted.Perplexity, ["test.tokens"] = tokens };
        var table = new Table().Border(TableBorder.Rounded).AddColumns("answers", "share of the commonest", "different", "distinct-1 / -2", "words", "commonest");
        var measured = mlContext.Data.TakeRows(test, MostMeasured);
        var all = new List<string[]>();
        foreach (var (name, decoding) in new[] { ("greedy", new DecodingOptions()), ("beam", new DecodingOptions { BeamWidth = 5, LengthPenalty = 1 }), ("drawn", new DecodingOptions { Temperature = 0.8, TopP = 0.9, Seed = 1 }) })
        {
            using var writer = model.With(decoding);
            var written = mlContext.Data.Cache(writer.Transform(measured), "Text", writer.OutputColumnName);
            var metrics = mlContext.SequenceToSequence.Evaluate(written, "Text", writer.OutputColumnName);
            table.AddRow(name, $"{metrics.CommonestResponseShare:P1}", $"{metrics.DistinctResponses:N0}", $"{metrics.Distinct1:0.000} / {metrics.Distinct2:0.000}", $"{metrics.MeanLength:0.0}", Markup.Escape(metrics.CommonestResponse));
            result[$"{name}.commonest"] = metrics.CommonestResponseShare;
            all.Add([.. written.GetColumn<string>(writer.OutputColumnName)]);
        }
        AnsiConsole.Write(table);
        var sources = measured.GetColumn<string>("Source").ToArray();
        for (var i = 0; i < ShownSources; i++)
        {
            var place = i * (sources.Length / ShownSources);
            AnsiConsole.WriteLine($"- {sources[place].Split('\n')[^1]}");
            AnsiConsole.WriteLine($"  greedy: {all[0][place]}   beam: {all[1][place]}   drawn: {all[2][place]}");
        }
        return result;
    }

    private static ResultLine Chat(MLContext mlContext, string path, int turns, ExampleArguments arguments, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            throw new UsageException($"There is no model '{path}' yet. Train one without --{Talk.Name}.");
        using var model = (SequenceToSequenceTransformer)mlContext.Model.Load(path, out _);
        var count = arguments.Integer(Answers, least: 1);
        var temperature = arguments.Number(Temperature, least: 0);
        var decoding = temperature > 0
            ? new DecodingOptions { Temperature = temperature, TopP = 0.9, NumberOfAnswers = count }
            : new DecodingOptions { BeamWidth = Math.Max(10, count), NumberOfAnswers = count, LengthPenalty = 1 };
        var said = new List<string>();
        Console.Write("> ");
        while (!cancellationToken.IsCancellationRequested && Console.ReadLine() is { Length: > 0 } line)
        {
            said.Add(line);
            var answers = model.Answers(string.Join('\n', said.TakeLast(turns)), decoding);
            foreach (var answer in answers)
                Console.WriteLine($"  {answer.LogProbability,7:0.00}  {answer.Text}");
            said.Add(answers[0].Text);
            Console.Write("> ");
        }
        Console.WriteLine();
        return new ResultLine { ["turns"] = said.Count };
    }
}
