using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.HiddenMarkov;

/// <summary>Throws of hidden dice: which die was it? With the book's three dice, with one of them loaded, and in a dishonest casino.</summary>
internal sealed class DiceExample : IExample
{
    private const string Sides = "12345678";
    private const int BookSample = 30_000;
    private const string BookThrows = "1635273524";

    private static readonly string[] Dice = ["D4", "D6", "D8"];
    private static readonly ExampleOption Starts = new("starts", "N", "Number of starts in the casino, of which the best one is taken.", "50");
    private static readonly ExampleOption Throws = new("throws", "N", "Number of throws in the casino.", "30000");

    public string Name => "dice";

    public ExampleHelp Help => new(
        "Finds out which hidden dice were thrown: the book's three dice, with and without a loaded one, and a dishonest casino whose dice are learned from its throws.",
        "made by the program",
        "half a minute",
        "casino.zip (the model)");

    public IReadOnlyList<ExampleOption> Options => [Starts, Throws, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var result = new ResultLine();
        foreach (var loaded in new[] { false, true })
            ShowBook(mlContext, loaded, seed, result, cancellationToken);
        ShowCasino(mlContext, arguments.Integer(Throws, least: 100), arguments.Integer(Starts, least: 1), seed, result, cancellationToken);
        return result;
    }

    /// <summary>The dice of 4, 6 and 8 sides: each is thrown as often as the others, or the one of 6 sides is kept nine times of ten.</summary>
    private static HiddenMarkovParameters Book(bool loaded)
    {
        const double Third = 1 / 3.0;
        var emissions = new double[3, Sides.Length];
        for (var die = 0; die < 3; die++)
        {
            for (var side = 0; side < 4 + (2 * die); side++)
                emissions[die, side] = 1.0 / (4 + (2 * die));
        }
        double[,] transitions = { { Third, Third, Third }, { loaded ? 0 : Third, loaded ? 0.9 : Third, loaded ? 0.1 : Third }, { Third, Third, Third } };
        return new HiddenMarkovParameters([Third, Third, Third], transitions, new DiscreteEmissions(emissions));
    }

    private static HiddenMarkovTransformer Known(MLContext mlContext, HiddenMarkovParameters parameters, string sides) =>
        mlContext.HiddenMarkovModels.Trainers.Discrete(new DiscreteHiddenMarkovEstimator.Options
        {
            InitialParameters = parameters,
            MaximumIterations = 0,
            SequenceColumnName = null,
            SymbolNames = sides.Select(side => side.ToString()).ToArray(),
        }).Fit(Symbols.View(mlContext, sides));

    private static void ShowBook(MLContext mlContext, bool loaded, int seed, ResultLine result, CancellationToken cancellationToken)
    {
        var known = Known(mlContext, Book(loaded), Sides);
        var decoded = known.Transform(Symbols.View(mlContext, BookThrows));
        var path = Symbols.Column<uint>(decoded, "PredictedState").Select(state => Dice[state - 1]).ToArray();
        var logLikelihood = Symbols.Column<double>(decoded, "SequenceLogLikelihood")[0];
        var title = loaded ? "D6 is loaded: after it comes D6 with .9, D8 with .1" : "all dice are as likely";
        AnsiConsole.WriteLine($"{title}. The book's throws {BookThrows} have a log-likelihood of {logLikelihood:0.000000000000}; the most probable dice are {string.Join(' ', path)}.");
        var name = loaded ? "loaded" : "fair";
        result[$"{name}.log-likelihood"] = logLikelihood;

        var (train, test) = (known.Sample(BookSample, seed), known.Sample(BookSample, seed + 1));
        var options = new DiscreteHiddenMarkovEstimator.Options { NumbersOfStates = [3], NumberOfStarts = 5, MaximumIterations = 500, Seed = seed, CancellationToken = cancellationToken };
        var blind = mlContext.HiddenMarkovModels.Trainers.Discrete(options).Fit(train);
        options.LabelColumnName = "State";
        var seen = mlContext.HiddenMarkovModels.Trainers.Discrete(options).Fit(train);
        var table = new Table().Border(TableBorder.Rounded).AddColumns("dice", "log-likelihood of a new throw", "dice found (path)", "largest error of a probability");
        AddRow("known", "known", known);
        AddRow("counted, as they were seen", "seen", seen);
        AddRow("learned from throws alone", "learned", blind);
        AnsiConsole.Write(table);
        if (!loaded)
            AnsiConsole.WriteLine("Where dice follow each other at random, throws say nothing about them: many dice explain them as well.");

        void AddRow(string what, string figure, HiddenMarkovTransformer model)
        {
            model = StateMatching.Match(mlContext, model, known);
            var metrics = mlContext.HiddenMarkovModels.Evaluate(model, test, "State");
            var error = StateMatching.LargestError(model, known);
            table.AddRow(what, $"{metrics.LogLikelihoodPerObservation:0.00000}", $"{metrics.PathAccuracy:P1}", $"{error:0.000}");
            result[$"{name}.{figure}.log-likelihood"] = metrics.LogLikelihoodPerObservation;
            result[$"{name}.{figure}.accuracy"] = metrics.PathAccuracy!.Value;
            result[$"{name}.{figure}.error"] = error;
        }
    }

    /// <summary>A fair die and one on which every second throw is a six (Durbin et al., 1998); half of the throws choose among the starts.</summary>
    private void ShowCasino(MLContext mlContext, int throws, int starts, int seed, ResultLine result, CancellationToken cancellationToken)
    {
        const double Sixth = 1 / 6.0;
        var emissions = new DiscreteEmissions(new[,] { { Sixth, Sixth, Sixth, Sixth, Sixth, Sixth }, { 0.1, 0.1, 0.1, 0.1, 0.1, 0.5 } });
        var known = Known(mlContext, new HiddenMarkovParameters([1, 0], new[,] { { 0.95, 0.05 }, { 0.1, 0.9 } }, emissions), Sides[..6]);
        var rolls = known.Sample(throws, seed);
        var watch = Stopwatch.StartNew();
        var learned = mlContext.HiddenMarkovModels.Trainers.Discrete(new DiscreteHiddenMarkovEstimator.Options
        {
            NumbersOfStates = [2],
            NumberOfStarts = starts,
            MaximumIterations = 1000,
            Seed = seed,
            SymbolNames = known.SymbolNames,
            Progress = new ConsoleProgress("casino"),
            CancellationToken = cancellationToken,
        }).Fit(mlContext.Data.TakeRows(rolls, throws / 2), mlContext.Data.SkipRows(rolls, throws / 2));
        var seconds = watch.Elapsed.TotalSeconds;
        var model = StateMatching.Match(mlContext, learned, known);
        var all = mlContext.HiddenMarkovModels.Trainers.Discrete(new DiscreteHiddenMarkovEstimator.Options
        {
            InitialParameters = model.Parameters,
            MaximumIterations = 1000,
            SymbolNames = known.SymbolNames,
        }).Fit(rolls);
        var table = new Table().Border(TableBorder.Rounded).AddColumns("parameter", "casino", "learned from half", "error", "from all", "error");
        var (worstHalf, worstAll, absolute) = (0.0, 0.0, 0.0);
        foreach (var (name, parameter) in StateMatching.Parameters(["fair", "loaded"], known.SymbolNames!))
        {
            var (truth, half, whole) = (parameter(known.Parameters), parameter(model.Parameters), parameter(all.Parameters));
            (worstHalf, worstAll) = (Math.Max(worstHalf, Math.Abs((half / truth) - 1)), Math.Max(worstAll, Math.Abs((whole / truth) - 1)));
            absolute = Math.Max(absolute, Math.Abs(whole - truth));
            table.AddRow(name, $"{truth:0.0000}", $"{half:0.0000}", $"{(half / truth) - 1:P1}", $"{whole:0.0000}", $"{(whole / truth) - 1:P1}");
        }
        AnsiConsole.Write(table);
        var (atTruth, atLearned) = (known.LogLikelihood(rolls), all.LogLikelihood(rolls));
        var metrics = mlContext.HiddenMarkovModels.Evaluate(all, rolls, "State");
        AnsiConsole.WriteLine($"{starts} starts in {seconds:0.0} s. Log-likelihood of all throws: {atTruth:0.0} with the casino's parameters, {atLearned:0.0} with those that were learned; {metrics.PathAccuracy:P1} of the dice were found, {mlContext.HiddenMarkovModels.Evaluate(known, rolls, "State").PathAccuracy:P1} with the casino's parameters.");
        var output = new OutputFolder(Name);
        mlContext.Model.Save(all, rolls.Schema, output.PathOf("casino.zip"));
        output.Print(("casino.zip", "the model of the casino"));
        result["casino.seconds"] = seconds;
        result["casino.relative-error-half"] = worstHalf;
        result["casino.relative-error"] = worstAll;
        result["casino.error"] = absolute;
        result["casino.gain"] = atLearned - atTruth;
        result["casino.accuracy"] = metrics.PathAccuracy!.Value;
    }
}
