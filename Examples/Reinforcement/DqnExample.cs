using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Reinforcement;

/// <summary>Learns a game with a deep Q-network.</summary>
internal sealed class DqnExample : IExample
{
    private static readonly string[] Games =
        [.. EnvironmentRegistry.Names.Where(name => { using var game = EnvironmentRegistry.Make(name); return game.ObservationSpace is BoxSpace; })];

    private static readonly ExampleOption Game = new("env", "NAME", $"The game: {string.Join(", ", Games)}.", "CartPole-v1");
    private static readonly ExampleOption Steps = new("steps", "N", "Number of steps, in thousands.", DefaultText: "what suits the game: 50 of CartPole");
    private static readonly ExampleOption Episodes = new("episodes", "N", "Number of episodes that the policy is judged by.", "100");
    private static readonly ExampleOption Dueling = ExampleOption.Flag("dueling", "Learns the value of states and the differences of actions in two streams of layers.");
    private static readonly ExampleOption Prioritized = ExampleOption.Flag("prioritized", "Draws steps more often that were predicted badly.");

    public string Name => "dqn";

    public ExampleHelp Help => new(
        "Learns a game with a deep Q-network: measurements or pixels in, the values of all actions out.",
        "made by the program",
        "a minute with CartPole, ten with the games of MinAtar",
        "curve.png (return and loss while learning), episode.png (an episode as it looks), policy.zip");

    public IReadOnlyList<ExampleOption> Options => [Game, Steps, Episodes, Dueling, Prioritized, ExampleOption.Seed, ExampleOption.Threads];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var name = arguments.Choice(Game, Games);
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var output = new OutputFolder(Name);
        using var game = EnvironmentRegistry.Make(name);
        var options = OptionsFor(name, arguments.OptionalInteger(Steps, least: 1));
        options.Dueling = arguments.IsGiven(Dueling);
        options.PrioritizedReplay = arguments.IsGiven(Prioritized);
        options.ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        options.Progress = new ConsoleProgress(name);
        options.CancellationToken = cancellationToken;
        using var policy = mlContext.ReinforcementLearning.Trainers.Dqn(options).Fit(game);
        var metrics = mlContext.ReinforcementLearning.Evaluate(policy, game, arguments.Integer(Episodes, least: 1), seed + 1, cancellationToken: cancellationToken);

        var table = new Table().Border(TableBorder.Rounded).AddColumns("weights", "return", "least", "length");
        table.AddRow($"{policy.Architecture.ParameterCount:#,0}", $"{metrics.MeanReturn:0.00} +- {metrics.StandardError:0.00}", $"{metrics.Episodes.Min(episode => episode.Return):0}", $"{metrics.MeanLength:0.0}");
        AnsiConsole.Write(table);
        policy.History.SavePng(output.PathOf("curve.png"));
        var episode = mlContext.ReinforcementLearning.Watch(policy, game, seed + 1);
        episode.Frames.Take(60).ToArray().SavePng(output.PathOf("episode.png"));
        mlContext.Model.Save(policy, null, output.PathOf("policy.zip"));
        output.Print(("curve.png", "return and loss while learning"), ("episode.png", "an episode, step by step"), ("policy.zip", "the policy"));
        return new ResultLine
        {
            ["return"] = metrics.MeanReturn,
            ["least"] = metrics.Episodes.Min(episode => episode.Return),
            ["length"] = metrics.MeanLength,
            ["seconds"] = policy.History.Epochs.Sum(epoch => epoch.Seconds),
        };
    }

    /// <summary>What suits a game; CartPole's are the defaults. Those of MountainCar and Acrobot began as Stable-Baselines3's.</summary>
    /// <param name="name">The game.</param>
    /// <param name="thousands">The number of steps, in thousands; null for what suits the game.</param>
    internal static DqnEstimator.Options OptionsFor(string name, int? thousands = null)
    {
        var options = OptionsFor(name);
        options.Epochs = thousands ?? options.Epochs;
        options.LearningStarts = Math.Min(options.LearningStarts, 100 * options.Epochs); // a tenth of few steps
        return options;
    }

    private static DqnEstimator.Options OptionsFor(string name) => name switch
    {
        "MountainCar-v0" => new()
        {
            Epochs = 120, LearningRate = 4e-3, BatchSize = 128, ReplayCapacity = 10_000, DiscountFactor = 0.98, TargetUpdateInterval = 600,
            TrainingInterval = 16, GradientSteps = 8, EpsilonDecayFraction = 0.2, FinalEpsilon = 0.07,
            Initialization = WeightInitialization.FanInUniform, // there are two inputs only
        },
        "Acrobot-v1" => new()
        {
            Epochs = 100, LearningRate = 2e-3, BatchSize = 128, ReplayCapacity = 50_000, TargetUpdateInterval = 250, ReturnSteps = 1,
            TrainingInterval = 4, GradientSteps = 4, EpsilonDecayFraction = 0.12, FinalEpsilon = 0.02,
            Initialization = WeightInitialization.FanInUniform,
        },
        "Catch-v0" => new()
        {
            Epochs = 10, BatchSize = 32, ReplayCapacity = 10_000, LearningStarts = 100, Layers = DqnLayers.Perceptron(50, 50), EpsilonDecayFraction = 0.5, FinalEpsilon = 0.05,
        },
        _ when name.StartsWith("MinAtar", StringComparison.Ordinal) => new()
        {
            Epochs = 500, LearningRate = 2.5e-4, BatchSize = 32, LearningStarts = 5000, ReplayStorage = ReplayStorage.Byte,
            GradientSteps = 1, TargetUpdateInterval = 1000, EpsilonDecayFraction = 0.2, FinalEpsilon = 0.1, EvaluationEpisodes = 0,
        },
        _ => new(),
    };
}
