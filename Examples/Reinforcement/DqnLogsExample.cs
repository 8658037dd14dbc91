using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Reinforcement;

/// <summary>Learns to balance a pole from a file of logged steps, most of them random, without ever playing.</summary>
internal sealed class DqnLogsExample : IExample
{
    private const int ExpertShare = 5; // a fifth of the steps
    private const int BatchSize = 128;
    private const string Trained = "dqn";
    private const string Rule = "rule";
    private static readonly ExampleOption Steps = new("steps", "N", "Number of logged steps, in thousands; a fifth is of an expert, the others are random.", "100");
    private static readonly ExampleOption Epochs = new("epochs", "N", $"Number of passes over the log, each as many updates as there are steps, divided by {BatchSize}.", "25");
    private static readonly ExampleOption Expert = new("expert", "NAME", $"Who plays a fifth of the steps: {Trained}, which is trained first in the game, or {Rule}, a formula.", Trained);

    public string Name => "dqn-logs";

    public ExampleHelp Help => new(
        "Learns CartPole from a CSV file of logged steps: by doing what the log does, by plain and by conservative Q-learning.",
        "made by the program",
        "six minutes; four with a saved expert",
        "log.csv (the steps), expert.zip (the expert, for --policy), policy.zip (of conservative learning)");

    public IReadOnlyList<ExampleOption> Options => [Steps, Epochs, Expert, SavedPolicy.Option, ExampleOption.Seed, ExampleOption.Threads];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var (steps, epochs) = (1000 * arguments.Integer(Steps, least: 1), arguments.Integer(Epochs, least: 1));
        var threads = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        var isRule = arguments.Choice(Expert, Trained, Rule) == Rule;
        if (isRule && arguments.OptionalText(SavedPolicy.Option) != null)
            throw new UsageException($"--{Expert.Name} {Rule} needs no --{SavedPolicy.Option.Name}.");
        var mlContext = new MLContext(seed);
        var output = new OutputFolder(Name);
        using var game = EnvironmentRegistry.Make("CartPole-v1");
        using var trained = isRule ? null : arguments.OptionalText(SavedPolicy.Option) is { } path ? SavedPolicy.Load(mlContext, path, game) : TrainExpert();
        IPolicy expert = trained == null ? new BalancingRule() : trained;
        var ofExpert = mlContext.ReinforcementLearning.Evaluate(expert, game, 100, seed + 1, cancellationToken: cancellationToken);
        WriteLog(output.PathOf("log.csv"), game, steps, seed, expert);
        var log = mlContext.Data.LoadFromTextFile(output.PathOf("log.csv"), separatorChar: ',', hasHeader: true, columns:
        [
            new("State", DataKind.Single, 0, 3), new("Action", DataKind.String, 4), new("Reward", DataKind.Single, 5),
            new("NextState", DataKind.Single, 6, 9), new("Terminated", DataKind.Boolean, 10),
        ]);
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Action").Fit(log);
        var rows = keys.Transform(log);
        var result = new ResultLine { ["expert"] = ofExpert.MeanReturn };
        var table = new Table().Border(TableBorder.Rounded).AddColumns("what is learned", "return", "seconds");
        table.AddRow("(the expert)", $"{ofExpert.MeanReturn:0.0} +- {ofExpert.StandardError:0.0}", "");
        foreach (var (name, learning, weight) in new[] { ("cloning", LogLearning.Cloning, 0.0), ("plain", LogLearning.ActionValues, 0.0), ("conservative", LogLearning.ActionValues, 1.0) })
        {
            using var policy = mlContext.ReinforcementLearning.Trainers.Dqn(new DqnEstimator.Options
            {
                Epochs = epochs,
                BatchSize = BatchSize,
                LearningRate = 1e-3,
                TargetUpdateRate = 0.005,
                EmaDecay = 0.999,
                LogLearning = learning,
                ConservativeWeight = weight,
                ThreadCount = threads,
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
        result["ratio"] = result["conservative"] / result["plain"];
        result["updates"] = (long)epochs * (steps / BatchSize);
        AnsiConsole.Write(table);
        output.Print(("log.csv", "the steps"), ("expert.zip", "the expert, for --policy"), ("policy.zip", "the policy of conservative learning"));
        return result;

        DqnTransformer TrainExpert()
        {
            var options = DqnExample.OptionsFor(game.Name, thousands: null);
            options.ThreadCount = threads;
            options.Progress = new ConsoleProgress("expert");
            options.CancellationToken = cancellationToken;
            var policy = mlContext.ReinforcementLearning.Trainers.Dqn(options).Fit(game);
            mlContext.Model.Save(policy, null, output.PathOf("expert.zip"));
            return policy;
        }
    }

    /// <summary>Plays at random, and then lets the expert play.</summary>
    private static void WriteLog(string path, IEnvironment game, int steps, int seed, IPolicy expert)
    {
        using var file = new StreamWriter(path);
        file.WriteLine("x,v,angle,spin,action,reward,x2,v2,angle2,spin2,terminated");
        var random = new Random(seed);
        var state = game.Reset(seed).Observation.ToArray();
        for (var i = 0; i < steps; i++)
        {
            var ofRandom = steps - (steps / ExpertShare);
            if (i == ofRandom)
                state = game.Reset().Observation.ToArray(); // an episode of the expert is its own
            var action = i < ofRandom ? random.Next(2) : expert.Act(state, [], random);
            var step = game.Step(action);
            var next = step.Observation.ToArray();
            file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{string.Join(',', state.Select(Text))},{action},{step.Reward},{string.Join(',', next.Select(Text))},{(step.Terminated ? 1 : 0)}"));
            state = step.IsEnd ? game.Reset().Observation.ToArray() : next;
        }

        static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);
    }

    /// <summary>Pushes to the side that the pole falls to.</summary>
    private sealed class BalancingRule : IPolicy
    {
        public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random) =>
            (3 * observation[2]) + observation[3] + (.1 * observation[0]) + (.3 * observation[1]) > 0 ? 1 : 0;
    }
}
