using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Policies judged by logs: by hand, in the mean of many logs, where a log says little, and what is refused.</summary>
[TestClass]
public sealed class LogEvaluationTests
{
    private static readonly MLContext Ml = new(1);

    // Weights 1.8, .4, 1, 2; expected predictions 1.1, .6, .5, 1.4 (see ByHand).
    private static readonly Decision[] Small =
    [
        new() { Action = "a", Reward = 1, Propensity = .5f, Policy = [.9f, .1f], Predicted = [1.2f, .2f] },
        new() { Action = "b", Reward = 2, Propensity = .5f, Policy = [.8f, .2f], Predicted = [.5f, 1f] },
        new() { Action = "b", Reward = 0, Propensity = .25f, Policy = [.75f, .25f], Predicted = [.5f, .5f] },
        new() { Action = "a", Reward = 3, Propensity = .5f, Policy = [1, 0], Predicted = [1.4f, 9f] },
    ];

    [TestMethod]
    public void Estimates_AreThoseByHand()
    {
        var metrics = Ml.ReinforcementLearning.EvaluateLog(Keyed(Small), "Policy", predictedRewardsColumnName: "Predicted");
        Assert.AreEqual(6.0 / 4, metrics.Logged.Value, 1e-6);
        Assert.AreEqual((1.8 + .8 + 0 + 6) / 4, metrics.ImportanceSampling!.Value, 1e-6);
        Assert.AreEqual((1.8 + .8 + 0 + 6) / 5.2, metrics.SelfNormalized!.Value, 1e-6);
        Assert.AreEqual((1.1 + .6 + .5 + 1.4) / 4, metrics.DirectMethod!.Value, 1e-6);
        Assert.AreEqual((1.1 + (1.8 * -.2) + .6 + (.4 * 1) + .5 + (1 * -.5) + 1.4 + (2 * 1.6)) / 4, metrics.DoublyRobust!.Value, 1e-6);
        Assert.AreEqual(5.2 * 5.2 / ((1.8 * 1.8) + (.4 * .4) + 1 + 4), metrics.EffectiveSampleSize, 1e-5);
        Assert.AreEqual(2, metrics.LargestWeight, 1e-6);
        Assert.AreEqual(1.3, metrics.MeanWeight, 1e-6);
        Assert.AreEqual(0, metrics.UncoveredShare);
        Assert.AreEqual((4L, 4L, 0L), (metrics.RowCount, metrics.EpisodeCount, metrics.ClippedWeights));
    }

    [TestMethod]
    public void LargeWeights_AreClippedAndCounted()
    {
        var metrics = Ml.ReinforcementLearning.EvaluateLog(Keyed(Small), new LogEvaluationOptions { PolicyColumnName = "Policy", PredictedRewardsColumnName = "Predicted", MaximumWeight = 1.5 });
        Assert.AreEqual((1.5 + .8 + 4.5) / 4, metrics.ImportanceSampling!.Value, 1e-6);
        Assert.AreEqual((1.5 + .8 + 4.5) / 4.4, metrics.SelfNormalized!.Value, 1e-6);
        Assert.AreEqual((1.1 + (1.5 * -.2) + .6 + (.4 * 1) + .5 + (1 * -.5) + 1.4 + (1.5 * 1.6)) / 4, metrics.DoublyRobust!.Value, 1e-6);
        Assert.AreEqual(2, metrics.ClippedWeights);
        Assert.AreEqual(2, metrics.LargestWeight, 1e-6);
        Assert.IsTrue(metrics.Warnings.Any(warning => warning.Contains("2 of 4 weights were above MaximumWeight = 1.5")));
    }

    /// <summary>Per decision: each reward has the weight of its episode up to there.</summary>
    [TestMethod]
    public void Episodes_AreThoseByHand()
    {
        var steps = Small.Select((row, i) => new Decision { Action = row.Action, Reward = row.Reward, Propensity = row.Propensity, Policy = row.Policy, Predicted = row.Predicted, Episode = i < 3 ? 7 : 2 }).ToArray();
        var metrics = Ml.ReinforcementLearning.EvaluateLog(Keyed(steps), new LogEvaluationOptions { PolicyColumnName = "Policy", PredictedRewardsColumnName = "Predicted", EpisodeColumnName = "Episode", DiscountFactor = .5 });
        // Weights up to each step: 1.8, .72, .72 in the first episode, 2 in the second.
        Assert.AreEqual(((1 + (.5 * 2)) + 3) / 2, metrics.Logged.Value, 1e-6);
        Assert.AreEqual((1.8 + (.5 * .72 * 2) + 6) / 2, metrics.ImportanceSampling!.Value, 1e-6);
        Assert.AreEqual(((1.8 + 6) / 3.8) + (.5 * .72 * 2 / 2.72), metrics.SelfNormalized!.Value, 1e-6);
        Assert.AreEqual((1.1 + 1.4) / 2, metrics.DirectMethod!.Value, 1e-6);
        var first = (1.1 + (1.8 * -.2)) + (.5 * ((1.8 * .6) + (.72 * 1))) + (.25 * ((.72 * .5) + (.72 * -.5)));
        Assert.AreEqual((first + 1.4 + (2 * 1.6)) / 2, metrics.DoublyRobust!.Value, 1e-6);
        Assert.AreEqual((4L, 2L), (metrics.RowCount, metrics.EpisodeCount));
        Assert.AreEqual(2.72 * 2.72 / ((.72 * .72) + 4), metrics.EffectiveSampleSize, 1e-5);
    }

    /// <summary>What other episodes lost does not take the weight of those that go on.</summary>
    [TestMethod]
    public void LargeWeightThatEnds_LeavesTheOthers()
    {
        Decision[] steps = [Step(0, "a", 1e-20f, 1), Step(0, "b", .5f, 1), Step(1, "a", 1, 1), Step(1, "a", 1, 1), Step(2, "b", .5f, .5f)];
        var metrics = Ml.ReinforcementLearning.EvaluateLog(Keyed(steps), new LogEvaluationOptions { PolicyColumnName = "Policy", EpisodeColumnName = "Episode", DiscountFactor = 1 });
        // Weights are 1e20, 1 and 1 at the first step, and 0, 1 and (ended) 1 at the second.
        Assert.AreEqual(1 + .5, metrics.SelfNormalized!.Value, 1e-6);
    }

    /// <summary>Products over steps are right where numbers end on the way.</summary>
    [TestMethod]
    public void LongEpisodes_HaveTheirWeights()
    {
        Decision[] steps =
        [
            .. Enumerable.Repeat(Step(0, "a", 1, .125f), 400), .. Enumerable.Repeat(Step(0, "a", .125f, 1), 400), // down to 1e-361
            .. Enumerable.Repeat(Step(1, "a", .25f, .75f), 10), Step(1, "b", 1, 1), .. Enumerable.Repeat(Step(1, "a", .25f, .75f), 10),
        ];
        var metrics = Ml.ReinforcementLearning.EvaluateLog(Keyed(steps), new LogEvaluationOptions { PolicyColumnName = "Policy", EpisodeColumnName = "Episode", DiscountFactor = 1 });
        Assert.AreEqual(1, metrics.LargestWeight, 1e-9);
        Assert.AreEqual(1, metrics.EffectiveSampleSize, 1e-9);
        // 8^-1 + ... + 8^-400 and back to 1; 3 + 9 + ... + 3^10, then 0.
        Assert.AreEqual(((9.0 / 7) + ((Math.Pow(3, 11) - 3) / 2)) / 2, metrics.ImportanceSampling!.Value, 1e-6);
    }

    [TestMethod]
    public void WeightsBeyondNumbers_AreRefusedOrClipped()
    {
        Decision[] steps = [.. Enumerable.Repeat(Step(0, "a", 1e-30f, 1), 12), Step(0, "b", .5f, 1), Step(1, "a", 1, 1), Step(2, "b", .5f, .5f)];
        var options = new LogEvaluationOptions { PolicyColumnName = "Policy", EpisodeColumnName = "Episode", DiscountFactor = 1 };
        Assert.Contains("Column 'Propensity', row 3 (the first row is 0): with this propensity the weight of the episode is above 1E+100", Assert.ThrowsExactly<FormatException>(() => Ml.ReinforcementLearning.EvaluateLog(Keyed(steps), options)).Message);
        options.MaximumWeight = 10;
        var clipped = Ml.ReinforcementLearning.EvaluateLog(Keyed(steps), options);
        Assert.AreEqual((120 + 1 + 1) / 3.0, clipped.ImportanceSampling!.Value, 1e-6);
        Assert.AreEqual(12, clipped.ClippedWeights);
        Assert.AreEqual(2, clipped.EffectiveSampleSize, 1e-9, "the first episode ends with weight 0");
        // Weights below that have squares, and errors.
        var rows = Ml.ReinforcementLearning.EvaluateLog(Keyed(steps[9..]), new LogEvaluationOptions { PolicyColumnName = "Policy" });
        Assert.AreEqual(3, rows.EffectiveSampleSize, 1e-6);
        Assert.AreEqual(1e30, rows.LargestWeight, 1e24);
        Assert.IsTrue(double.IsFinite(rows.ImportanceSampling!.StandardError));
    }

    /// <summary>Few equal weights do not speak against propensities; many do.</summary>
    [TestMethod]
    public void MeanWeight_IsWarnedOfOnlyIfItIsNoChance()
    {
        foreach (var (rows, isWrong) in new[] { (1, false), (20, false), (40, true) })
        {
            // A sure policy of two equally frequent actions: all agree with a probability of 2^-rows.
            var same = Ml.ReinforcementLearning.EvaluateLog(Ml.Data.TakeRows(Keyed([.. Enumerable.Repeat(Step(0, "a", .5f, 1), rows), Step(0, "b", .5f, 1)]), rows), new LogEvaluationOptions { PolicyColumnName = "Policy" });
            Assert.AreEqual(isWrong, same.Warnings.Any(warning => warning.Contains("The mean weight is 2")), $"{rows}");
        }
    }

    /// <summary>What is left of 1 in float32 can be just below 0.</summary>
    [TestMethod]
    public void ProbabilitiesJustBelowZero_AreZero()
    {
        Decision[] rows = [new() { Action = "a", Reward = 3, Propensity = .5f, Policy = [1.0000001f, -1e-7f] }, new() { Action = "b", Reward = 5, Propensity = .5f, Policy = [1.0000001f, -1e-7f] }];
        Assert.AreEqual(3, Ml.ReinforcementLearning.EvaluateLog(Keyed(rows), "Policy").ImportanceSampling!.Value, 1e-6);
    }

    /// <summary>The policy's keys and slots are in another order than those of the log.</summary>
    [TestMethod]
    public void Actions_AreMetByName()
    {
        var chosen = Small.Select(row => new Decision { Action = row.Action, Reward = row.Reward, Propensity = row.Propensity, Chosen = "b" }).ToArray();
        chosen[0].Chosen = "a";
        chosen[0].Action = "b"; // MapValueToKey meets b first here, and a first in the other column
        var keyed = Keyed(chosen);
        keyed = Ml.Transforms.Conversion.MapValueToKey("Chosen").Fit(keyed).Transform(keyed);
        // Row 0 did b and the policy a: 0. Rows 1 and 2 did b: 2 * 2 and 4 * 0. Row 3 did a.
        Assert.AreEqual(4.0 / 4, Ml.ReinforcementLearning.EvaluateLog(keyed, "Chosen").ImportanceSampling!.Value, 1e-6);
        // A classifier whose labels are in yet another order names the slots of its score.
        var labeled = Ml.Transforms.Conversion.MapValueToKey("Label", "Chosen2", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue);
        var rows = Small.Select((row, i) => new Decision { Action = i == 0 ? "b" : row.Action, Reward = row.Reward, Propensity = row.Propensity, Policy = [i, 1], Chosen2 = i % 2 == 0 ? "a" : "b" }).ToArray();
        var scored = labeled.Append(Ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Policy")).Fit(Keyed(rows)).Transform(Keyed(rows));
        var scores = scored.GetColumn<float[]>("Score").ToArray();
        var places = new Dictionary<string, int> { ["a"] = 0, ["b"] = 1 };
        var expected = rows.Select((row, i) => scores[i][places[row.Action]] / row.Propensity * row.Reward).Average();
        Assert.AreEqual(expected, Ml.ReinforcementLearning.EvaluateLog(scored).ImportanceSampling!.Value, 1e-5);
    }

    [TestMethod]
    public void SlotsOfOtherNames_AreInOrderWithAWarning_OfAnotherSpelling_AreRefused()
    {
        var other = Keyed(Small.Select(row => new Decision { Action = row.Action, Reward = row.Reward, Propensity = row.Propensity, Policy = row.Policy, One = row.Policy[0], Two = row.Policy[1] }).ToArray());
        var inOrder = Ml.ReinforcementLearning.EvaluateLog(other, "Policy");
        var joined = Ml.Transforms.Concatenate("Joined", "One", "Two").Fit(other).Transform(other);
        var metrics = Ml.ReinforcementLearning.EvaluateLog(joined, "Joined");
        Assert.AreEqual(inOrder.ImportanceSampling!.Value, metrics.ImportanceSampling!.Value);
        Assert.HasCount(inOrder.Warnings.Count + 1, metrics.Warnings);
        Assert.Contains("The slots of column 'Joined' are named One, Two; no action has such a name", metrics.Warnings[^1]);

        var spelled = Ml.Transforms.CopyColumns("A", "One").Append(Ml.Transforms.CopyColumns("B", "Two")).Append(Ml.Transforms.Concatenate("Joined", "A", "B")).Fit(other).Transform(other);
        Assert.Contains("slot 0 is named 'A', but the actions are a, b", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.EvaluateLog(spelled, "Joined")).Message);
    }

    /// <summary>The mean over many logs is the truth, which is known, for each estimator that is to be unbiased.</summary>
    [TestMethod]
    [DataRow(true, true)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    public void MeanOfManyLogs_IsTheTruth(bool goodPropensities, bool goodPredictions)
    {
        const int Logs = 200;
        var sums = new Dictionary<string, List<double>> { ["is"] = [], ["dm"] = [], ["dr"] = [] };
        var (covered, seed) = (0, 0);
        for (var i = 0; i < Logs; i++)
        {
            var log = Simulate(500, seed++, goodPropensities, goodPredictions);
            var metrics = Ml.ReinforcementLearning.EvaluateLog(Keyed(log), new LogEvaluationOptions { PolicyColumnName = "Policy", PredictedRewardsColumnName = "Predicted", Resamples = 200, Seed = i });
            sums["is"].Add(metrics.ImportanceSampling!.Value);
            sums["dm"].Add(metrics.DirectMethod!.Value);
            sums["dr"].Add(metrics.DoublyRobust!.Value);
            if (metrics.DoublyRobust.Lower <= Truth && Truth <= metrics.DoublyRobust.Upper)
                covered++;
        }
        IsRight("is", goodPropensities);
        IsRight("dm", goodPredictions);
        IsRight("dr", true);
        // The level is .95; of 200 logs, 5 standard deviations below are 174.
        Assert.IsGreaterThanOrEqualTo(174, covered);
        Assert.IsLessThan(Logs, covered);

        void IsRight(string name, bool expected)
        {
            var mean = sums[name].Average();
            var error = Math.Sqrt(sums[name].Sum(value => Math.Pow(value - mean, 2)) / (Logs - 1) / Logs);
            Assert.AreEqual(expected, Math.Abs(mean - Truth) < 5 * error, $"{name}: {mean} +- {error}, truth {Truth}");
        }
    }

    [TestMethod]
    public void PolicyThatTheLogDoesNotCover_IsWarnedOf()
    {
        var ml = new MLContext(1);
        var heard = new List<string>();
        ml.Log += (_, log) => heard.AddRange(log.Kind == ChannelMessageKind.Warning ? [log.Message] : []);
        var onlyA = Keyed([.. Enumerable.Repeat(new Decision { Action = "a", Reward = 1, Propensity = 1, Policy = [.3f, .7f] }, 100), new() { Action = "b", Reward = 1, Propensity = .5f, Policy = [.3f, .7f] }]);
        var without = ml.Data.FilterRowsByKeyColumnFraction(onlyA, "Action", 0, .5);
        var metrics = ml.ReinforcementLearning.EvaluateLog(without, "Policy");
        Assert.AreEqual(.7, metrics.UncoveredShare, 1e-5);
        Assert.IsTrue(metrics.Warnings.Any(warning => warning.Contains("70.0") && warning.Contains("no row took (b)")));
        Assert.IsTrue(metrics.Warnings.Any(warning => warning.Contains("The mean weight is 0.3")));
        CollectionAssert.IsSubsetOf(metrics.Warnings.ToArray(), heard.Select(message => message[(message.IndexOf(']') + 1)..].TrimStart()).Concat(heard).ToArray());

        var few = Enumerable.Range(0, 1000).Select(i => new Decision { Action = i % 100 == 0 ? "b" : "a", Reward = 1, Propensity = i % 100 == 0 ? .01f : .99f, Policy = [0, 1] }).ToArray();
        var hardly = ml.ReinforcementLearning.EvaluateLog(Keyed(few), "Policy");
        Assert.AreEqual(10, hardly.EffectiveSampleSize, 1e-3);
        Assert.IsTrue(hardly.Warnings.Any(warning => warning.Contains("1,000 rows say as much as 10.0")));
        var never = ml.ReinforcementLearning.EvaluateLog(Keyed([new() { Action = "a", Propensity = .5f, Policy = [0, 1] }, new() { Action = "b", Propensity = .5f, Policy = [1, 0] }]), "Policy");
        Assert.IsTrue(double.IsNaN(never.SelfNormalized!.Value));
        Assert.IsTrue(never.Warnings.Any(warning => warning.Contains("no probability to what the log did")));
        var good = ml.ReinforcementLearning.EvaluateLog(Keyed(Simulate(2000, 1, true, true)), "Policy");
        Assert.IsEmpty(good.Warnings);
    }

    [TestMethod]
    public void WithoutPropensities_OnlyTheDirectMethodIsComputed()
    {
        var rows = Keyed(Small);
        Assert.Contains("fit a calibrated multiclass classifier of the action on the state", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.EvaluateLog(rows, "Policy", propensityColumnName: "Nothing")).Message);
        Assert.Contains("PropensityColumnName and PredictedRewardsColumnName are null", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.EvaluateLog(rows, "Policy", propensityColumnName: null)).Message);
        var metrics = Ml.ReinforcementLearning.EvaluateLog(rows, "Policy", propensityColumnName: null, predictedRewardsColumnName: "Predicted");
        Assert.AreEqual(.9, metrics.DirectMethod!.Value, 1e-6);
        Assert.IsNull(metrics.ImportanceSampling);
        Assert.IsNull(metrics.SelfNormalized);
        Assert.IsNull(metrics.DoublyRobust);
        Assert.IsTrue(double.IsNaN(metrics.EffectiveSampleSize));
        Assert.IsTrue(metrics.Warnings.Any(warning => warning.Contains("There are no propensities")));
    }

    [TestMethod]
    public void WrongValues_AreNamed()
    {
        foreach (var (propensity, text) in new[] { (0f, "0"), (-.5f, "-0.5"), (1.5f, "1.5"), (float.NaN, "NaN") })
            Refused($"Column 'Propensity', row 2 (the first row is 0): the propensity is {text}; it must be above 0 and at most 1", row => row.Propensity = propensity);
        Refused("Column 'Policy', row 2 (the first row is 0): the probabilities of the actions sum to 0.9; they must sum to 1", row => row.Policy = [.5f, .4f]);
        Refused("Column 'Policy', row 2 (the first row is 0): a probability is -0.5; it must be between 0 and 1", row => row.Policy = [1.5f, -.5f], anyOrder: "a probability is 1.5");
        Refused("Column 'Policy', row 2 (the first row is 0), slot 1: the value is NaN", row => row.Policy = [.5f, float.NaN]);
        Refused("Column 'Predicted', row 2 (the first row is 0), slot 0: the value is Infinity", row => row.Predicted = [float.PositiveInfinity, 1]);
        Refused("Column 'Reward', row 2 (the first row is 0): the reward is NaN", row => row.Reward = float.NaN);
        Refused("Column 'Action', row 2 (the first row is 0): the action is missing; it must be one of 2 (a, b)", row => row.Action = "");
        var unknown = Small.Select((row, i) => new Decision { Action = row.Action, Propensity = .5f, Chosen = i == 2 ? "c" : "a" }).ToArray();
        var keyed = Keyed(unknown);
        keyed = Ml.Transforms.Conversion.MapValueToKey("Chosen").Fit(keyed).Transform(keyed);
        Assert.Contains("Column 'Chosen', row 2 (the first row is 0): the action is 'c', which is unknown; it must be one of 2 (a, b)", Assert.ThrowsExactly<FormatException>(() => Ml.ReinforcementLearning.EvaluateLog(keyed, "Chosen")).Message);
        var torn = Small.Select((row, i) => new Decision { Action = row.Action, Propensity = .5f, Policy = row.Policy, Episode = i % 2 }).ToArray();
        Assert.Contains("Column 'Episode', row 2 (the first row is 0): episode 0 has ended before", Assert.ThrowsExactly<FormatException>(() => Ml.ReinforcementLearning.EvaluateLog(Keyed(torn), new LogEvaluationOptions { PolicyColumnName = "Policy", EpisodeColumnName = "Episode" })).Message);
    }

    [TestMethod]
    public void WrongColumnsAndOptions_AreNamed()
    {
        var rows = Keyed(Small);
        Refused("Column 'Three' has type Vector<Single, 3>; it must be a Vector<Single> of 2 values, one for each action (a, b)", new LogEvaluationOptions { PolicyColumnName = "Three" });
        Refused("Column 'Nothing' is not in the data", new LogEvaluationOptions { PolicyColumnName = "Nothing" });
        Refused("Column 'Reward' has type", new LogEvaluationOptions { PolicyColumnName = "Policy", ActionColumnName = "Reward" });
        Refused("Column 'Propensity' has type", new LogEvaluationOptions { PolicyColumnName = "Propensity" });
        Refused("Column 'Policy' has type", new LogEvaluationOptions { PolicyColumnName = "Policy", RewardColumnName = "Policy" });
        Refused("Resamples is 1; it must be at least 2 and at most 1,000,000", new LogEvaluationOptions { PolicyColumnName = "Policy", Resamples = 1 });
        Refused("Resamples is 2147483647; it must be at least 2 and at most 1,000,000", new LogEvaluationOptions { PolicyColumnName = "Policy", Resamples = int.MaxValue });
        Refused("ConfidenceLevel is 1; it must be above 0 and below 1", new LogEvaluationOptions { PolicyColumnName = "Policy", ConfidenceLevel = 1 });
        Refused("MaximumWeight is 0", new LogEvaluationOptions { PolicyColumnName = "Policy", MaximumWeight = 0 });
        Refused("DiscountFactor is 0", new LogEvaluationOptions { PolicyColumnName = "Policy", DiscountFactor = 0 });
        Refused("PolicyColumnName is empty", new LogEvaluationOptions { PolicyColumnName = "" });
        Assert.Contains("has no rows", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.EvaluateLog(Ml.Data.SkipRows(rows, 10), "Policy")).Message);

        void Refused(string message, LogEvaluationOptions options) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => Ml.ReinforcementLearning.EvaluateLog(rows, options)).Message);
    }

    [TestMethod]
    public void SameSeed_SameIntervals_InEveryCulture_AndCancelled()
    {
        var rows = Keyed(Simulate(300, 3, true, true));
        var options = new LogEvaluationOptions { PolicyColumnName = "Policy", Seed = 4 };
        var first = Ml.ReinforcementLearning.EvaluateLog(rows, options);
        var (culture, comma) = (CultureInfo.CurrentCulture, (CultureInfo)CultureInfo.InvariantCulture.Clone());
        comma.NumberFormat.NumberDecimalSeparator = ",";
        try
        {
            CultureInfo.CurrentCulture = comma;
            var again = Ml.ReinforcementLearning.EvaluateLog(rows, options);
            Assert.AreEqual(first.SelfNormalized, again.SelfNormalized);
            Assert.AreEqual(first.ImportanceSampling, again.ImportanceSampling);
            CultureInfo.CurrentCulture = culture;
            var text = first.ToString();
            CultureInfo.CurrentCulture = comma;
            Assert.AreEqual(text, again.ToString());
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
        options.Seed = 5;
        Assert.AreNotEqual(first.SelfNormalized!.Lower, Ml.ReinforcementLearning.EvaluateLog(rows, options).SelfNormalized!.Lower);
        options.CancellationToken = new CancellationToken(canceled: true);
        Assert.ThrowsExactly<OperationCanceledException>(() => Ml.ReinforcementLearning.EvaluateLog(rows, options));
    }

    // Two states, each half of the time. The policy takes b with .2 and .9; b gives .5 and 2 in the mean, a gives 1 and 0.
    private const double Truth = ((.8 * 1) + (.2 * .5) + (.1 * 0) + (.9 * 2)) / 2;

    private static Decision[] Simulate(int count, int seed, bool goodPropensities, bool goodPredictions)
    {
        var random = new Random(TestSeed.Of(seed));
        float[][] means = [[1, .5f], [0, 2]], policies = [[.8f, .2f], [.1f, .9f]];
        float[] ofB = [.3f, .6f];
        var log = new Decision[count];
        for (var i = 0; i < count; i++)
        {
            var state = random.Next(2);
            var action = random.NextDouble() < ofB[state] ? 1 : 0;
            var propensity = action == 1 ? ofB[state] : 1 - ofB[state];
            log[i] = new Decision
            {
                Action = action == 1 ? "b" : "a",
                Reward = (float)(means[state][action] + random.NextDouble() - .5),
                Propensity = goodPropensities ? propensity : .5f,
                Policy = policies[state],
                Predicted = goodPredictions ? means[state] : [.3f, .4f],
            };
        }
        return log;
    }

    private static Decision Step(int episode, string action, float propensity, float ofA) =>
        new() { Episode = episode, Action = action, Reward = 1, Propensity = propensity, Policy = [ofA, 1 - ofA] };

    private static void Refused(string message, Action<Decision> spoil, string? anyOrder = null)
    {
        var rows = Small.Select(row => new Decision { Action = row.Action, Reward = row.Reward, Propensity = row.Propensity, Policy = row.Policy, Predicted = row.Predicted }).ToArray();
        spoil(rows[2]);
        var said = Assert.ThrowsExactly<FormatException>(() => Ml.ReinforcementLearning.EvaluateLog(Keyed(rows), "Policy", predictedRewardsColumnName: "Predicted")).Message;
        Assert.IsTrue(said.Contains(message) || (anyOrder != null && said.Contains(anyOrder)), said);
    }

    private static IDataView Keyed(Decision[] rows)
    {
        var data = Ml.Data.LoadFromEnumerable(rows);
        return Ml.Transforms.Conversion.MapValueToKey("Action", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(data).Transform(data);
    }

    private sealed class Decision
    {
        public int Episode { get; set; }

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        public float Propensity { get; set; }

        [VectorType(2)]
        public float[] Policy { get; set; } = [1, 0];

        [VectorType(2)]
        public float[] Predicted { get; set; } = [0, 0];

        [VectorType(3)]
        public float[] Three { get; set; } = [1, 0, 0];

        public float One { get; set; }

        public float Two { get; set; }

        public string Chosen { get; set; } = "a";

        public string Chosen2 { get; set; } = "a";
    }
}
