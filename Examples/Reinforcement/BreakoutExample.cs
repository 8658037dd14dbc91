using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Reinforcement;

/// <summary>Learns MinAtar's Breakout, or loads a policy, and shows how it plays.</summary>
internal sealed class BreakoutExample : IExample
{
    private const string Game = "MinAtar/Breakout-v1";

    // A game that goes on for ever would make a picture that no program opens.
    private const int MostSteps = 5000;
    private const int MostPictures = 60;

    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(80);
    private static readonly ExampleOption Steps = new("steps", "N", "Number of steps to learn from, in thousands.", "500");
    private static readonly ExampleOption Watch = new("watch", "N", "Number of steps of the game to show in the terminal; 0 for none.", "300");
    private static readonly ExampleOption Episodes = new("episodes", "N", "Number of episodes that the policy is judged by.", "100");

    public string Name => "breakout";

    public ExampleHelp Help => new(
        "Learns the game Breakout from pixels with a deep Q-network, and lets you watch it play.",
        "made by the program",
        "a quarter of an hour; seconds with a saved policy",
        "curve.png (return and loss while learning), game.png (the game that was shown, step by step), policy.zip");

    public IReadOnlyList<ExampleOption> Options => [SavedPolicy.Option, Steps, Watch, Episodes, ExampleOption.Seed, ExampleOption.Threads];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var (thousands, shown, episodes) = (arguments.Integer(Steps, least: 1), arguments.Integer(Watch, least: 0), arguments.Integer(Episodes, least: 1));
        var threads = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        var mlContext = new MLContext(seed);
        var output = new OutputFolder(Name);
        using var game = EnvironmentRegistry.Make(Game);
        using var policy = arguments.OptionalText(SavedPolicy.Option) is { } path ? SavedPolicy.Load(mlContext, path, game) : Train();
        var metrics = mlContext.ReinforcementLearning.Evaluate(policy, game, episodes, seed + 1, maximumSteps: MostSteps, cancellationToken: cancellationToken);
        var watched = mlContext.ReinforcementLearning.Watch(policy, game, seed + 1, maximumSteps: MostSteps);
        Show(watched, shown, cancellationToken);
        watched.Frames.Take(MostPictures).ToArray().SavePng(output.PathOf("game.png"));
        AnsiConsole.WriteLine($"A game of {watched.Summary.Length} steps with {watched.Summary.Return} points; the mean of {episodes} is {metrics.MeanReturn:0.00} +- {metrics.StandardError:0.00}.");
        output.Print(("curve.png", "return and loss while learning"), ("game.png", $"the first {MostPictures} steps of the game"), ("policy.zip", "the policy, for --policy"));
        return new ResultLine
        {
            ["return"] = metrics.MeanReturn,
            ["least"] = metrics.Episodes.Min(episode => episode.Return),
            ["length"] = metrics.MeanLength,
            ["watched.return"] = watched.Summary.Return,
            ["watched.length"] = watched.Summary.Length,
        };

        DqnTransformer Train()
        {
            var options = DqnExample.OptionsFor(Game, thousands);
            options.ThreadCount = threads;
            options.Progress = new ConsoleProgress(Name);
            options.CancellationToken = cancellationToken;
            var trained = mlContext.ReinforcementLearning.Trainers.Dqn(options).Fit(game);
            trained.History.SavePng(output.PathOf("curve.png"));
            mlContext.Model.Save(trained, null, output.PathOf("policy.zip"));
            return trained;
        }
    }

    /// <summary>Shows the steps in the same place of a terminal, one after the other; in a file or a pipe they follow each other without delay.</summary>
    private static void Show(WatchedEpisode game, int steps, CancellationToken cancellation)
    {
        var isTerminal = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;
        var count = Math.Min(steps, game.Texts.Count);
        for (var step = 0; step < count; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            var text = game.Texts[step].TrimEnd();
            if (isTerminal && step > 0)
                AnsiConsole.Cursor.MoveUp(text.Count('\n') + 2);
            Console.WriteLine($"step {step,-6}"); // dots and letters of the game are no markup
            Console.WriteLine(text);
            if (isTerminal)
                cancellation.WaitHandle.WaitOne(FrameTime);
        }
    }
}
