using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Reinforcement;

/// <summary>
/// Markov decision processes: a table of transitions that is counted from logged rows, and lakes whose model is known, solved exactly and drawn
/// as maps of values.
/// </summary>
internal sealed class MdpExample : IExample
{
    private static readonly ExampleOption Discount = new("discount", "NUMBER", "What a reward is worth one step later; at most 1.", "0.999");

    public string Name => "mdp";

    public ExampleHelp Help => new(
        "Counts a table of transitions from rows, and solves FrozenLake exactly: values, best ways, and what no policy can beat.",
        "made by the program",
        "a few seconds",
        "values-4x4.png, values-8x8.png (bright fields are worth more, arrows are the best actions), policy.zip");

    public IReadOnlyList<ExampleOption> Options => [Discount];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(1);
        var output = new OutputFolder(Name);
        var result = new ResultLine { ["book.expected-reward"] = CountBook(mlContext) };
        var discount = Math.Min(1, arguments.Number(Discount, least: 0));
        var table = new Table().Border(TableBorder.Rounded).AddColumns("lake", "time limit", "best possible", "best without limit in mind");
        foreach (var (size, name, steps) in new[] { ("4x4", "FrozenLake-v1", 100), ("8x8", "FrozenLake8x8-v1", 200) })
        {
            using var lake = EnvironmentRegistry.Make(name);
            var exact = mlContext.ReinforcementLearning.Trainers.MarkovDecisionProcess(new MarkovDecisionProcessEstimator.Options { DiscountFactor = 1, Horizon = steps }).Fit(lake);
            var steady = mlContext.ReinforcementLearning.Trainers.MarkovDecisionProcess(new MarkovDecisionProcessEstimator.Options
            {
                DiscountFactor = discount,
                CancellationToken = cancellationToken,
            }).Fit(lake);
            var metrics = mlContext.ReinforcementLearning.Evaluate(steady, lake, episodes: 10_000, cancellationToken: cancellationToken);
            table.AddRow(size, $"{steps} steps", $"{exact.OptimalReturn:0.0000}", $"{metrics.MeanReturn:0.000} +- {metrics.StandardError:0.000}");
            ValueMap.SavePng(steady, size == "4x4" ? FrozenLakeEnvironment.Map4x4 : FrozenLakeEnvironment.Map8x8, output.PathOf($"values-{size}.png"));
            result[$"lake-{size}.optimum"] = exact.OptimalReturn!.Value;
            result[$"lake-{size}.return"] = metrics.MeanReturn;
            mlContext.Model.Save(steady, null, output.PathOf("policy.zip"));
        }
        AnsiConsole.Write(table);
        output.Print(("values-*", "what fields are worth, and the best actions"), ("policy.zip", "the policy of the large lake"));
        return result;
    }

    /// <summary>An action that leads to three states that give something, and else to nothing: .35 * 3 + .12 * 2 + .05 * 7 = 1.64.</summary>
    private static double CountBook(MLContext mlContext)
    {
        var rows = new[] { ("first", 35, 3f), ("second", 12, 2f), ("third", 5, 7f), ("nothing", 48, 0f) }
            .SelectMany(each => Enumerable.Repeat(new Transition { State = "start", Action = "go", NextState = each.Item1, Reward = each.Item3 }, each.Item2));
        var data = mlContext.Data.LoadFromEnumerable(rows);
        var pipeline = mlContext.Transforms.Conversion.MapValueToKey(nameof(Transition.State))
            .Append(mlContext.Transforms.Conversion.MapValueToKey(nameof(Transition.NextState)))
            .Append(mlContext.Transforms.Conversion.MapValueToKey(nameof(Transition.Action)))
            .Append(mlContext.ReinforcementLearning.Trainers.MarkovDecisionProcess());
        var policy = pipeline.Fit(data).LastTransformer;
        var table = new Table().Border(TableBorder.Rounded).AddColumns("next state", "probability", "reward");
        foreach (var transition in policy.Model!.Transitions(0, 0))
            table.AddRow(policy.StateNames![transition.NextState], $"{transition.Probability:0.00}", $"{transition.Reward:0}");
        AnsiConsole.Write(table);
        var expected = policy.Model.ExpectedReward(0, 0);
        AnsiConsole.WriteLine($"expected reward {expected:0.00}");
        return expected;
    }

    private sealed class Transition
    {
        public string State { get; set; } = "";

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        public string NextState { get; set; } = "";
    }
}
