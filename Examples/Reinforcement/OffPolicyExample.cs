using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;
using MLExtensions.Examples.Digits;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Reinforcement;

/// <summary>
/// Judges a policy by a log of what another one did. Reading digits is made a game of one step: an action is to name a digit, and the reward is
/// 1 if it is the right one; the log knows the reward of its own action alone. What the policy is really worth is known here, so that the error
/// of each estimate is, too. It is the experiment of the Open Bandit Pipeline (Saito et al., 2021).
/// </summary>
internal sealed class OffPolicyExample : IExample
{
    private const int Digits = 10;
    private const double EvaluatedShare = 0.7;
    private const double LogSkill = 0.4; // the log's policy does what its model says so often, and else anything
    private const double PolicySkill = 0.9;
    private const int Trees = 30;
    private const int Leaves = 32;
    private const int LeafRows = 10;
    private static readonly ExampleOption Runs = new("runs", "N", "Number of logs.", "30");

    public string Name => "off-policy";

    public ExampleHelp Help => new(
        "Judges a policy that reads digits by what another one did: four estimates, each beside the truth.",
        ShippedData.Describe("digits.csv"),
        "a minute; several on a busy machine",
        null);

    public IReadOnlyList<ExampleOption> Options => [Runs, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var (runs, seed) = (arguments.Integer(Runs, least: 2), arguments.Integer(ExampleOption.Seed, least: 0));
        var errors = new Dictionary<string, List<double>> { ["dm"] = [], ["ipw"] = [], ["snipw"] = [], ["dr"] = [] };
        var truths = new List<double>();
        LogEvaluationMetrics? last = null;
        var files = new MLContext(seed);
        var images = files.Data.CreateEnumerable<DigitImage>(files.Data.LoadFromTextFile<DigitImage>(ShippedData.PathOf("digits.csv"), separatorChar: ',', hasHeader: true), reuseRowObject: false).ToArray();
        for (var run = 0; run < runs; run++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var mlContext = new MLContext((seed * 1000) + run);
            // On a thread of the pool, which runs the many small tasks of FastForest itself instead of handing each to another one.
            var game = new Random((seed * 1000) + run);
            var (log, truth) = Task.Run(() => MakeLog(mlContext, [.. images], game), cancellationToken).GetAwaiter().GetResult();
            var rows = mlContext.Data.LoadFromEnumerable(log);
            // Few and cautious trees: they do not find out which digit is which, and so the direct method is far off.
            var rewards = mlContext.BinaryClassification.Trainers.LightGbm(new LightGbmBinaryTrainer.Options
            {
                NumberOfIterations = Trees,
                LearningRate = 0.01,
                NumberOfLeaves = Leaves,
                MinimumExampleCountPerLeaf = LeafRows,
                Booster = new GradientBooster.Options { MaximumTreeDepth = 5 },
                NumberOfThreads = 1,
                Seed = run,
            });
            var predicted = mlContext.ReinforcementLearning.PredictRewards(rows, rewards, new RewardPredictionOptions { Folds = 3, Seed = run, CancellationToken = cancellationToken });
            last = mlContext.ReinforcementLearning.EvaluateLog(predicted, policyColumnName: nameof(Decision.Policy), predictedRewardsColumnName: "PredictedRewards");
            foreach (var (name, estimate) in new[] { ("dm", last.DirectMethod), ("ipw", last.ImportanceSampling), ("snipw", last.SelfNormalized), ("dr", last.DoublyRobust) })
                errors[name].Add(Math.Abs(estimate!.Value - truth) / truth);
            truths.Add(truth);
        }
        return Report(errors, truths, last!);
    }

    private static ResultLine Report(Dictionary<string, List<double>> errors, List<double> truths, LogEvaluationMetrics last)
    {
        var result = new ResultLine();
        var table = new Table().Border(TableBorder.Rounded).AddColumns("estimate", "relative error", "standard deviation", "last log");
        var titles = new[] { ("dm", "direct method", last.DirectMethod), ("ipw", "importance sampling", last.ImportanceSampling), ("snipw", "self-normalized", last.SelfNormalized), ("dr", "doubly robust", last.DoublyRobust) };
        foreach (var (name, title, estimate) in titles)
        {
            var mean = errors[name].Average();
            var deviation = Math.Sqrt(errors[name].Sum(error => (error - mean) * (error - mean)) / (errors[name].Count - 1));
            table.AddRow(title, $"{mean:0.0000}", $"{deviation:0.0000}", estimate!.ToString());
            result[name] = mean;
            result[$"{name}.deviation"] = deviation;
        }
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"The policy is worth {truths.Average():0.000} in the mean; in the last log {truths[^1]:0.000}, where the log's own got {last.Logged.Value:0.000}.");
        foreach (var warning in last.Warnings)
            AnsiConsole.WriteLine(warning);
        result["truth"] = truths.Average();
        return result;
    }

    /// <summary>A logistic regression acts, most of the time at random; a forest is to be judged.</summary>
    private static (Decision[] Log, double Truth) MakeLog(MLContext mlContext, DigitImage[] images, Random random)
    {
        random.Shuffle(images);
        var evaluated = (int)Math.Ceiling(EvaluatedShare * images.Length);
        var (train, test) = (images[evaluated..], images[..evaluated]);
        var trainers = mlContext.MulticlassClassification.Trainers;
        var ofLog = Read(mlContext, trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options { L1Regularization = 0, L2Regularization = 0.01f, NumberOfThreads = 1 }), train, test);
        var ofPolicy = Read(mlContext, trainers.OneVersusAll(mlContext.BinaryClassification.Trainers.FastForest(new FastForestBinaryTrainer.Options { NumberOfTrees = Trees, NumberOfLeaves = Leaves, MinimumExampleCountPerLeaf = LeafRows, NumberOfThreads = 1 })), train, test);
        var truth = 0.0;
        var log = new Decision[test.Length];
        for (var row = 0; row < test.Length; row++)
        {
            var (before, policy) = (Probabilities(ofLog[row], LogSkill), Probabilities(ofPolicy[row], PolicySkill));
            var (drawn, action) = (random.NextDouble() - before[0], 0);
            while (drawn >= 0 && action < Digits - 1)
                drawn -= before[++action];
            var digit = (int)test[row].Label;
            log[row] = new Decision { Features = test[row].Features, Action = (uint)action, Reward = action == digit ? 1 : 0, Propensity = before[action], Policy = policy };
            truth += policy[digit] / test.Length;
        }
        return (log, truth);
    }

    /// <summary>The digits that a model reads.</summary>
    private static int[] Read(MLContext mlContext, IEstimator<ITransformer> trainer, DigitImage[] train, DigitImage[] test)
    {
        var conversions = mlContext.Transforms.Conversion;
        var model = conversions.MapValueToKey("Label").Append(trainer).Append(conversions.MapKeyToValue("PredictedLabel")).Fit(mlContext.Data.LoadFromEnumerable(train));
        return mlContext.Data.CreateEnumerable<DigitPrediction>(model.Transform(mlContext.Data.LoadFromEnumerable(test)), reuseRowObject: false).Select(prediction => (int)prediction.PredictedLabel).ToArray();
    }

    private static float[] Probabilities(int digit, double skill) =>
        Enumerable.Range(0, Digits).Select(action => (float)(((1 - skill) / Digits) + (action == digit ? skill : 0))).ToArray();

    /// <summary>A row of the log, with what the policy would do.</summary>
    private sealed class Decision
    {
        [VectorType(DigitImage.Side * DigitImage.Side)]
        public float[] Features { get; set; } = [];

        /// <summary>From 0; ML.NET counts keys from 1 itself.</summary>
        [KeyType(Digits)]
        public uint Action { get; set; }

        public float Reward { get; set; }

        public float Propensity { get; set; }

        [VectorType(Digits)]
        public float[] Policy { get; set; } = [];
    }
}
