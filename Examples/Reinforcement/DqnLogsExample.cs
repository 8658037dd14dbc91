using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Reinforcement;

/// <summary>Learns to balance a pole from a file of logged steps, most of them random, without ever playing.</summary>
internal sealed class DqnLogsExample : IExample
{
    private const int RandomShare = 5; // four of five steps
    private static readonly ExampleOption Steps = new("steps", "N", "Number of logged steps, in thousands; a fifth is of a good player.", "100");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the log.", "25");

    public string Name => "dqn-logs";

    public ExampleHelp Help => new(
        "Learns CartPole from a CSV file of logged steps: by doing what the log does, by plain and by conservative Q-learning.",
        "made by the program",
        "four minutes",
        "log.csv (the steps), policy.zip (of conservative learning)");

    public IReadOnlyList<ExampleOption> Options => [Steps, Epochs, ExampleOption.Seed, ExampleOption.Threads];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var output = new OutputFolder(Name);
        using var game = EnvironmentRegistry.Make("CartPole-v1");
        WriteLog(output.PathOf("log.csv"), game, 1000 * arguments.Integer(Steps, least: 1), seed);
        var log = mlContext.Data.LoadFromTextFile(output.PathOf("log.csv"), separatorChar: ',', hasHeader: true, columns:
        [
            new("State", DataKind.Single, 0, 3), new("Action", DataKind.String, 4), new("Reward", DataKind.Single, 5),
            new("NextState", DataKind.Single, 6, 9), new("Terminated", DataKind.Boolean, 10),
        ]);
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Action").Fit(log);
        var rows = keys.Transform(log);
        var result = new ResultLine();
        var table = new Table().Border(TableBorder.Rounded).AddColumns("what is learned", "return", "seconds");
        foreach (var (name, learning, weight) in new[] { ("cloning", LogLearning.Cloning, 0.0), ("plain", LogLearning.ActionValues, 0.0), ("conservative", LogLearning.ActionValues, 1.0) })
        {
            using var policy = mlContext.ReinforcementLearning.Trainers.Dqn(new DqnEstimator.Options
            {
                Epochs = arguments.Integer(Epochs, least: 1),
                BatchSize = 128,
                LearningRate = 1e-3,
                TargetUpdateRate = 0.005,
                EmaDecay = 0.999,
                LogLearning = learning,
                ConservativeWeight = weight,
                ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
                Progress = new ConsoleProgress(name),
                CancellationToken = cancellationToken,
            }).Fit(rows);
            // Once, after a number of steps that was fixed before: the best of many looks would be a lie.
            var metrics = mlContext.ReinforcementLearning.Evaluate(policy, game, 100, seed + 1, cancellationToken: cancellationToken);
            table.AddRow(name, $"{metrics.MeanReturn:0.0} +- {metrics.StandardError:0.0}", $"{policy.History.Epochs.Sum(epoch => epoch.Seconds):0}");
            result[name] = metrics.MeanReturn;
            if (name == "conservative")
                mlContext.Model.Save(policy, rows.Schema, output.PathOf("policy.zip"));
        }
        AnsiConsole.Write(table);
        output.Print(("log.csv", "the steps"), ("policy.zip", "the policy of conservative learning"));
        return result;
    }

    /// <summary>Plays at random, and then well.</summary>
    private static void WriteLog(string path, IEnvironment game, int steps, int seed)
    {
        using var file = new StreamWriter(path);
        file.WriteLine("x,v,angle,spin,action,reward,x2,v2,angle2,spin2,terminated");
        var random = new Random(seed);
        var state = game.Reset(seed).Observation.ToArray();
        for (var i = 0; i < steps; i++)
        {
            var isGood = i >= steps - (steps / RandomShare);
            var action = isGood ? (3 * state[2]) + state[3] + (.1 * state[0]) + (.3 * state[1]) > 0 ? 1 : 0 : random.Next(2);
            var step = game.Step(action);
            var next = step.Observation.ToArray();
            file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{string.Join(',', state.Select(Text))},{action},{step.Reward},{string.Join(',', next.Select(Text))},{(step.Terminated ? 1 : 0)}"));
            state = step.IsEnd ? game.Reset().Observation.ToArray() : next;
        }

        static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);
    }
}
