using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Reinforcement;

/// <summary>Ranks three rules that balance a pole, badly, better and well, by logged steps of others, without ever letting them play.</summary>
internal sealed class FittedQExample : IExample
{
    private const double Discount = 0.99;
    private const double Chance = 0.3; // of a random action in steps of the log that a rule makes
    private static readonly ExampleOption Steps = new("steps", "N", "Number of logged steps, in thousands.", "100");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the log, for each rule.", "40");
    private static readonly ExampleOption Seeds = new("seeds", "N", "Number of logs and trainings.", "5");

    private static readonly (string Name, Rule Rule)[] Rules =
    [
        (nameof(Step.Right), new Rule(_ => 1)), // always to the right
        (nameof(Step.Lean), new Rule(state => state[2] > 0 ? 1 : 0)), // to where the pole leans
        (nameof(Step.Balance), new Rule(state => (3 * state[2]) + state[3] + (.1f * state[0]) + (.3f * state[1]) > 0 ? 1 : 0)),
    ];

    public string Name => "fitted-q";

    public ExampleHelp Help => new(
        "Ranks three CartPole policies by logged steps of others alone (fitted Q evaluation), beside what they get when they play.",
        "made by the program",
        "three minutes of one core",
        null);

    public IReadOnlyList<ExampleOption> Options => [Steps, Epochs, Seeds, ExampleOption.Seed, ExampleOption.Threads];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var (first, seeds) = (arguments.Integer(ExampleOption.Seed, least: 0), arguments.Integer(Seeds, least: 1));
        using var game = EnvironmentRegistry.Make("CartPole-v1");
        var table = new Table().Border(TableBorder.Rounded).AddColumns(["seed", .. Rules.Select(rule => $"{rule.Name}: estimated, played (return)"), "ranked rightly"]);
        var (right, estimates) = (0, new double[seeds, Rules.Length]);
        for (var seed = first; seed < first + seeds; seed++)
        {
            var mlContext = new MLContext(seed);
            var log = mlContext.Data.LoadFromEnumerable(Log(game, 1000 * arguments.Integer(Steps, least: 1), seed).ToArray());
            // What the rules would do is in columns, for they know the states as they are; the network learns better from states of one size.
            var conversions = mlContext.Transforms.Conversion;
            var rows = conversions.MapValueToKey([.. Rules.Select(rule => rule.Name).Append(nameof(Step.Action)).Select(name => new InputOutputColumnPair(name))])
                .Append(mlContext.Transforms.NormalizeMeanVariance(nameof(Step.State), fixZero: false))
                .Fit(log).Transform(log);
            var cells = new List<string>();
            for (var rule = 0; rule < Rules.Length; rule++)
            {
                var metrics = mlContext.ReinforcementLearning.FittedQEvaluation(rows, new FittedQOptions
                {
                    PolicyActionColumnName = Rules[rule].Name,
                    Training = new DqnEstimator.Options
                    {
                        EpisodeColumnName = nameof(Step.Episode),
                        DiscountFactor = Discount,
                        Epochs = arguments.Integer(Epochs, least: 1),
                        BatchSize = 256,
                        TargetUpdateRate = 0.05,
                        Layers = DqnLayers.Perceptron(64, 64),
                        ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
                        Progress = new ConsoleProgress($"seed {seed}, {Rules[rule].Name}"),
                        CancellationToken = cancellationToken,
                    },
                });
                using var model = metrics.Model;
                estimates[seed - first, rule] = metrics.Value.Value;
                var (discounted, plain) = Play(mlContext, game, Rules[rule].Rule, seed);
                cells.Add($"{metrics.Value.Value:0.0}, {discounted:0.0} ({plain:0.0})");
                foreach (var warning in metrics.Warnings)
                    AnsiConsole.WriteLine(warning);
            }
            var isRight = estimates[seed - first, 0] < estimates[seed - first, 1] && estimates[seed - first, 1] < estimates[seed - first, 2];
            right += isRight ? 1 : 0;
            table.AddRow([$"{seed}", .. cells, isRight ? "yes" : "no"]);
        }
        AnsiConsole.Write(table);
        var result = new ResultLine { ["ranked-rightly"] = right, ["of"] = seeds };
        for (var rule = 0; rule < Rules.Length; rule++)
            result[ResultLine.NameOf(Rules[rule].Name)] = Enumerable.Range(0, seeds).Average(seed => estimates[seed, rule]);
        return result;
    }

    /// <summary>The mean discounted return of a rule that plays, and the return that is not discounted.</summary>
    private static (double Discounted, double Plain) Play(MLContext mlContext, IEnvironment game, Rule rule, int seed)
    {
        // Each step gives 1.
        var episodes = mlContext.ReinforcementLearning.Evaluate(rule, game, 100, seed).Episodes;
        return (episodes.Average(episode => (1 - Math.Pow(Discount, episode.Length)) / (1 - Discount)), episodes.Average(episode => episode.Return));
    }

    /// <summary>Each episode is made by chance, or by one of the rules that are helped by chance; each of them makes as many steps.</summary>
    private static IEnumerable<Step> Log(IEnvironment game, int steps, int seed)
    {
        var random = new Random(seed);
        var made = new int[Rules.Length + 1];
        var (state, episode, player) = (game.Reset(seed).Observation.ToArray(), 0, 0);
        for (var i = 0; i < steps; i++)
        {
            var wanted = Rules.Select(rule => rule.Rule.Act(state, [], random)).ToArray();
            var action = player == Rules.Length || random.NextDouble() < Chance ? random.Next(2) : wanted[player];
            var step = game.Step(action);
            made[player]++;
            yield return new Step
            {
                Episode = episode, State = state, Action = action, Reward = (float)step.Reward, Terminated = step.Terminated,
                Right = wanted[0], Lean = wanted[1], Balance = wanted[2],
            };
            if (step.IsEnd)
                (state, episode, player) = (game.Reset().Observation.ToArray(), episode + 1, Array.IndexOf(made, made.Min()));
            else
                state = step.Observation.ToArray();
        }
    }

    private sealed class Rule(Func<float[], int> act) : IPolicy
    {
        public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random) => act(observation.ToArray());
    }

    private sealed class Step
    {
        public int Episode { get; set; }

        [VectorType(4)]
        public float[] State { get; set; } = [];

        public int Action { get; set; }

        public float Reward { get; set; }

        public bool Terminated { get; set; }

        /// <summary>What the rules would do.</summary>
        public int Right { get; set; }

        public int Lean { get; set; }

        public int Balance { get; set; }
    }
}
