using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.HiddenMarkov;

using Text = Spectre.Console.Text; // MLExtensions.Text is nearer

/// <summary>
/// Two hidden states learn from letters alone that there are vowels and consonants (Cave and Neuwirth, "Hidden Markov Models for English",
/// 1980).
/// </summary>
internal sealed class HmmWordsExample : IExample
{
    private const string Vowels = "aeiou";
    private const string Sample = "shall i compare thee to a summers day";

    private static readonly ExternalData Data = new("The text of tinyshakespeare", "data", "FILE", "Any English text; input.txt of tinyshakespeare.", "tinyshakespeare/input.txt");
    private static readonly ExampleOption Length = new("length", "N", "Number of letters and spaces to learn from.", "200000");
    private static readonly ExampleOption Most = new("most-states", "N", "The largest number of states; those from 2 on are compared by their criterion.", "2");

    public string Name => "hmm-words";

    public ExampleHelp Help => new(
        "Reads a text letter by letter with a few hidden states, which discover vowels and consonants without being told of them.",
        $"{Data}",
        "half a minute",
        "letters.zip (the model)");

    public IReadOnlyList<ExampleOption> Options => [Data.Option, Length, Most, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var text = Letters(File.ReadAllText(Data.Find(arguments)), arguments.Integer(Length, least: 1000));
        var watch = Stopwatch.StartNew();
        var model = mlContext.HiddenMarkovModels.Trainers.Discrete(new DiscreteHiddenMarkovEstimator.Options
        {
            NumbersOfStates = Enumerable.Range(2, Math.Max(1, arguments.Integer(Most, least: 2) - 1)).ToArray(),
            SequenceColumnName = null,
            NumberOfStarts = 5,
            MaximumIterations = 300,
            Seed = seed,
            Progress = new ConsoleProgress(Name),
            CancellationToken = cancellationToken,
        }).Fit(Symbols.View(mlContext, text));
        var seconds = watch.Elapsed.TotalSeconds;
        foreach (var best in model.Starts.GroupBy(start => start.NumberOfStates).Select(group => group.MaxBy(start => start.LogLikelihood)!))
            AnsiConsole.WriteLine($"{best}");
        var result = Print(mlContext, model);
        result["training.seconds"] = seconds;
        result["perplexity"] = mlContext.HiddenMarkovModels.Evaluate(model, Symbols.View(mlContext, text)).Perplexity;
        AnsiConsole.WriteLine($"{text.Length:N0} letters, {model.Starts.Count} starts in {seconds:0.0} s; perplexity {result["perplexity"]:0.000}.");
        var output = new OutputFolder(Name);
        mlContext.Model.Save(model, Symbols.View(mlContext, text).Schema, output.PathOf("letters.zip"));
        output.Print(("letters.zip", "the model"));
        return result;
    }

    /// <summary>Which letters a state makes, and a line with the states of its letters.</summary>
    private static ResultLine Print(MLContext mlContext, HiddenMarkovTransformer model)
    {
        var (emissions, symbols) = (((DiscreteEmissions)model.Parameters.Emissions).Probabilities, model.SymbolNames!);
        var stationary = model.Parameters.GetStationaryProbabilities();
        var owners = Enumerable.Range(0, symbols.Count).Select(symbol => Enumerable.Range(0, model.NumberOfStates).MaxBy(state => stationary[state] * emissions[state, symbol])).ToArray();
        var table = new Table().Border(TableBorder.Rounded).AddColumns("state", "share", "stays", "its letters, the most frequent first");
        for (var state = 0; state < model.NumberOfStates; state++)
        {
            var own = Enumerable.Range(0, symbols.Count).Where(symbol => owners[symbol] == state).OrderByDescending(symbol => emissions[state, symbol]).Select(symbol => symbols[symbol] == " " ? "space" : symbols[symbol]);
            table.AddRow(new Text(model.StateNames[state]), new Text($"{stationary[state]:P0}"), new Text($"{model.Parameters.TransitionProbabilities[state, state]:0.00}"), new Text(string.Join(' ', own)));
        }
        AnsiConsole.Write(table);
        var path = Symbols.Column<uint>(model.Transform(Symbols.View(mlContext, Sample)), "PredictedState");
        AnsiConsole.WriteLine(Sample);
        AnsiConsole.WriteLine(string.Concat(path));
        // With two states: letters that are where vowels are, and consonants that are where "t" is.
        var vowel = owners[symbols.ToList().IndexOf("e")];
        var letters = symbols.Select((symbol, i) => (Symbol: symbol, Owner: owners[i])).Where(letter => letter.Symbol != " ").ToArray();
        return new ResultLine
        {
            ["states"] = model.NumberOfStates,
            ["vowels-together"] = letters.Count(letter => Vowels.Contains(letter.Symbol) && letter.Owner == vowel),
            ["consonants-apart"] = letters.Count(letter => !Vowels.Contains(letter.Symbol) && letter.Owner != vowel),
            ["letters"] = letters.Length,
        };
    }

    /// <summary>Small letters, and one space where there is anything else.</summary>
    private static string Letters(string text, int length)
    {
        var letters = new System.Text.StringBuilder();
        foreach (var letter in text)
        {
            var small = char.ToLowerInvariant(letter);
            if (char.IsAsciiLetterLower(small))
                letters.Append(small);
            else if (letter != '\'' && letters.Length > 0 && letters[^1] != ' ')
                letters.Append(' ');
            if (letters.Length == length)
                break;
        }
        return letters.ToString();
    }
}
