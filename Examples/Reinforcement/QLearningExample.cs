using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Reinforcement;

/// <summary>Learns a game of numbered states by trial, and compares the result with the exact optimum.</summary>
internal sealed class QLearningExample : IExample
{
    private static readonly string[] Games =
        [.. EnvironmentRegistry.Names.Where(name => { using var game = EnvironmentRegistry.Make(name); return game.ObservationSpace is DiscreteSpace; })];

    private static readonly ExampleOption Game = new("env", "NAME", $"The game: {string.Join(", ", Games)}.", "FrozenLake-v1");
    private static readonly ExampleOption Algorithm = new("algorithm", "NAME", "What is learned: q-learning, sarsa or expected-sarsa.", "q-learning");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of times 10,000 steps.", "50");
    private static readonly ExampleOption Episodes = new("episodes", "N", "Number of episodes that the policy is judged by.", "1000");

    public string Name => "q-learning";

    public ExampleHelp Help => new(
        "Learns a game of numbered states by trial, and compares what the policy reaches with the best that is possible.",
        "made by the program",
        "a second",
        "curve.png (return and length while learning), episode.png (an episode as it looks), policy.zip");

    public IReadOnlyList<ExampleOption> Options => [Game, Algorithm, Epochs, Episodes, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var name = arguments.Choice(Game, Games);
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var output = new OutputFolder(Name);
        using var game = EnvironmentRegistry.Make(name);
        var options = OptionsFor(name);
        options.Epochs = arguments.Integer(Epochs, least: 1);
        options.Algorithm = arguments.Choice(Algorithm, "q-learning", "sarsa", "expected-sarsa") switch
        {
            "sarsa" => TemporalDifference.Sarsa,
            "expected-sarsa" => TemporalDifference.ExpectedSarsa,
            _ => TemporalDifference.QLearning,
        };
        options.Progress = new ConsoleProgress(name);
        options.CancellationToken = cancellationToken;
        var policy = mlContext.ReinforcementLearning.Trainers.QLearning(options).Fit(game);
        var metrics = mlContext.ReinforcementLearning.Evaluate(policy, game, arguments.Integer(Episodes, least: 1), seed + 1, cancellationToken: cancellationToken);

        var table = new Table().Border(TableBorder.Rounded).AddColumns("return", "length", "best possible", "regret");
        table.AddRow($"{metrics.MeanReturn:0.000} +- {metrics.StandardError:0.000}", $"{metrics.MeanLength:0.0}", $"{metrics.OptimalReturn:0.000}", $"{metrics.Regret:0.000}");
        AnsiConsole.Write(table);
        policy.History!.SavePng(output.PathOf("curve.png"));
        var episode = mlContext.ReinforcementLearning.Watch(policy, game, seed + 1);
        episode.Frames.Take(60).ToArray().SavePng(output.PathOf("episode.png"));
        AnsiConsole.WriteLine($"The end of an episode of {episode.Summary.Length} steps, with a return of {episode.Summary.Return}:");
        Console.Write(episode.Texts[^1]); // brackets are no markup
        mlContext.Model.Save(policy, null, output.PathOf("policy.zip"));
        output.Print(("curve.png", "return and length while learning"), ("episode.png", "an episode, step by step"), ("policy.zip", "the policy"));
        return new ResultLine
        {
            ["return"] = metrics.MeanReturn,
            ["optimum"] = metrics.OptimalReturn ?? double.NaN,
            ["length"] = metrics.MeanLength,
        };
    }

    /// <summary>What suits a game: how far it has to look ahead, and how much of it is chance.</summary>
    private static QLearningEstimator.Options OptionsFor(string name) => name switch
    {
        "FrozenLake8x8-v1" => new() { DiscountFactor = 0.999, InitialValue = 1 },
        "CliffWalking-v1" => new() { LearningRate = 0.5 },
        "Blackjack-v1" => new() { DiscountFactor = 1, LearningRate = 0.01, FinalEpsilon = 0.1 },
        _ => new(),
    };
}
