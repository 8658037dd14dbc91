using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Cross-fitted rewards of all actions.</summary>
[TestClass]
public sealed class RewardPredictionTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>A learner that knows every row by heart, and nothing else, is asked only about rows that it did not see.</summary>
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Rows_ArePredictedByModelsThatDidNotSeeThem(bool byUser)
    {
        // Two rows of a user are the same but for the reward.
        var rows = Enumerable.Range(0, 60).Select(i => new Row { Features = [i / 2, 0], Action = i == 59 ? "b" : "a", Reward = i, User = i / 2 }).ToArray();
        var learner = new Memory();
        var options = new RewardPredictionOptions { Folds = 4, SamplingKeyColumnName = byUser ? "User" : null };
        var predicted = Predictions(Ml.ReinforcementLearning.PredictRewards(Keyed(rows), learner, options));
        var known = rows.Select((row, i) => predicted[i][row.Action == "a" ? 0 : 1]).ToArray();
        for (var i = 0; i < rows.Length; i++)
            Assert.AreNotEqual(i, known[i], $"row {i}: its own reward");
        Assert.AreEqual(byUser, known.All(value => value == Memory.Unknown), "the other row of the user");
        CollectionAssert.AreEqual(new[] { 4, 4 }, new[] { learner.Fits, options.Folds });
    }

    [TestMethod]
    public void Column_HasAPredictionForEachAction_UnderItsName()
    {
        var rows = Enumerable.Range(0, 300).Select(i => new Row { Features = [i % 5, 1], Action = i % 2 == 0 ? "b" : "a", Reward = i % 2 == 0 ? 2 : i % 5 }).ToArray();
        // "b" is met first.
        var data = Ml.ReinforcementLearning.PredictRewards(Keyed(rows), Ml.Regression.Trainers.LbfgsPoissonRegression(l1Regularization: 0, l2Regularization: 1e-3f), outputColumnName: "Guess", folds: 3);
        var column = data.Schema["Guess"];
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        column.GetSlotNames(ref names);
        CollectionAssert.AreEqual(new[] { "b", "a" }, names.DenseValues().Select(name => name.ToString()).ToArray());
        Assert.AreEqual(300, data.GetColumn<float>("Reward").Count());
        var guesses = data.GetColumn<float[]>("Guess").ToArray();
        Assert.AreEqual(2, guesses.Average(guess => guess[0]), .2);
        Assert.IsGreaterThan(guesses[0][1] + 1, guesses[4][1], "of a, features with a 4 give more than with a 0");
        var metrics = Ml.ReinforcementLearning.EvaluateLog(data, "Policy", predictedRewardsColumnName: "Guess");
        Assert.AreEqual(guesses.Average(guess => (.25 * guess[0]) + (.75 * guess[1])), metrics.DirectMethod!.Value, 1e-5);
    }

    [TestMethod]
    public void BinaryClassifiers_PredictProbabilities()
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 400).Select(i => new Row { Features = [0, 0], Action = i % 2 == 0 ? "a" : "b", Reward = random.NextDouble() < (i % 2 == 0 ? .2 : .8) ? 1 : 0 }).ToArray();
        var guesses = Predictions(Ml.ReinforcementLearning.PredictRewards(Keyed(rows), Ml.BinaryClassification.Trainers.LbfgsLogisticRegression(), new RewardPredictionOptions { Seed = 3 }));
        Assert.AreEqual(.2, guesses.Average(guess => guess[0]), .08);
        Assert.AreEqual(.8, guesses.Average(guess => guess[1]), .08);
        var again = Predictions(Ml.ReinforcementLearning.PredictRewards(Keyed(rows), Ml.BinaryClassification.Trainers.LbfgsLogisticRegression(), new RewardPredictionOptions { Seed = 4 }));
        Assert.AreNotEqual(guesses[0][0], again[0][0], "other parts");
    }

    /// <summary>Predictions stand beside rows that are read again: in another order they would be those of other rows.</summary>
    [TestMethod]
    public void LogThatChanges_IsRefused()
    {
        var rows = Enumerable.Range(0, 20).Select(i => new Row { Features = [i, 1], Action = i % 2 == 0 ? "a" : "b", Reward = i / 4 }).ToArray();
        var keys = Ml.Transforms.Conversion.MapValueToKey("Action").Fit(Ml.Data.LoadFromEnumerable(rows));
        Refused("row 3 (the first row is 0) was another one", again => [.. again[..3], again[5], again[4], again[3], .. again[6..]]);
        Refused("row 19 (the first row is 0) was another one, or was not there", again => again[..19]);
        Refused("row 20 (the first row is 0) was another one, or was not there", again => [.. again, again[0]]);
        var same = Passes(again => again);
        Assert.HasCount(20, Predictions(Ml.ReinforcementLearning.PredictRewards(keys.Transform(Ml.Data.LoadFromEnumerable(same)), new Memory())));

        void Refused(string message, Func<Row[], Row[]> change) =>
            Assert.Contains(message, Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.PredictRewards(keys.Transform(Ml.Data.LoadFromEnumerable(Passes(change))), new Memory())).Message);

        IEnumerable<Row> Passes(Func<Row[], Row[]> change)
        {
            var passes = 0;
            return Read();

            IEnumerable<Row> Read()
            {
                foreach (var row in passes++ == 0 ? rows : change(rows))
                    yield return row;
            }
        }
    }

    [TestMethod]
    public void WhatDoesNotSuit_IsNamed()
    {
        var rows = Enumerable.Range(0, 20).Select(i => new Row { Features = [i, 1], Action = i == 0 ? "c" : i % 2 == 0 ? "a" : "b", Reward = i % 2 }).ToArray();
        var regression = Ml.Regression.Trainers.Sdca(maximumNumberOfIterations: 1);
        Refused<ArgumentException>("Folds is 1; it must be at least 2", regression, _ => { }, new RewardPredictionOptions { Folds = 1 });
        Refused<ArgumentException>("Folds is 21, but there are only 20 rows", regression, _ => { }, new RewardPredictionOptions { Folds = 21 });
        Refused<ArgumentException>("Folds is 5, but there are only 1 values of column 'User'", regression, _ => { }, new RewardPredictionOptions { SamplingKeyColumnName = "User" });
        Refused<ArgumentException>("Column 'Nothing' is not in the data", regression, _ => { }, new RewardPredictionOptions { FeatureColumnName = "Nothing" });
        Refused<ArgumentException>("Column 'Reward' has type", regression, _ => { }, new RewardPredictionOptions { ActionColumnName = "Reward" });
        Refused<ArgumentException>("The estimator of rewards does not take columns", Ml.Regression.Trainers.Sdca(labelColumnName: "Other"), _ => { });
        Refused<ArgumentException>("it must give a Score (Single)", Ml.BinaryClassification.Trainers.LinearSvm(), _ => { });
        Refused<FormatException>("column 'Features', row 4 (the first row is 0), slot 1: the value is NaN", regression, all => all[4].Features[1] = float.NaN);
        Refused<FormatException>("Column 'Reward', row 4 (the first row is 0): the reward is NaN", regression, all => all[4].Reward = float.NaN);
        Refused<FormatException>("Column 'Action', row 4 (the first row is 0): the action is missing", regression, all => all[4].Action = "");
        Refused<FormatException>("Column 'Reward', row 4 (the first row is 0): the reward is 0.5; for a binary classifier it must be 0 or 1", Ml.BinaryClassification.Trainers.LbfgsLogisticRegression(), all => all[4].Reward = .5f);
        Assert.ThrowsExactly<OperationCanceledException>(() => Ml.ReinforcementLearning.PredictRewards(Keyed(rows), regression, new RewardPredictionOptions { CancellationToken = new CancellationToken(canceled: true) }));

        var users = Ml.Transforms.Conversion.MapValueToKey("User").Fit(Keyed(rows));
        var stranger = rows.Select((row, i) => new Row { Features = row.Features, Action = row.Action, Reward = row.Reward, User = i == 4 ? 7 : row.User }).ToArray();
        Assert.Contains("Column 'User', row 4 (the first row is 0): the key is missing", Assert.ThrowsExactly<FormatException>(() =>
            Ml.ReinforcementLearning.PredictRewards(users.Transform(Keyed(stranger)), regression, new RewardPredictionOptions { SamplingKeyColumnName = "User" })).Message);

        // One row alone has action c, and it is in one part.
        var (ml, heard) = (new MLContext(1), new List<string>());
        ml.Log += (_, log) => heard.AddRange(log.Kind == ChannelMessageKind.Warning ? [log.Message] : []);
        ml.ReinforcementLearning.PredictRewards(Keyed(rows), regression);
        Assert.IsTrue(heard.Any(message => message.Contains("Of 3 actions, 1 are missing") && message.Contains("(c)")));

        void Refused<T>(string message, IEstimator<ITransformer> estimator, Action<Row[]> spoil, RewardPredictionOptions? options = null)
            where T : Exception
        {
            var copies = rows.Select(row => new Row { Features = [.. row.Features], Action = row.Action, Reward = row.Reward }).ToArray();
            spoil(copies);
            Assert.Contains(message, Assert.Throws<T>(() => Ml.ReinforcementLearning.PredictRewards(Keyed(copies), estimator, options ?? new RewardPredictionOptions())).Message);
        }
    }

    private static float[][] Predictions(IDataView data) => data.GetColumn<float[]>("PredictedRewards").ToArray();

    private static IDataView Keyed(Row[] rows)
    {
        var data = Ml.Data.LoadFromEnumerable(rows);
        return Ml.Transforms.Conversion.MapValueToKey("Action").Fit(data).Transform(data);
    }

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [0, 0];

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        public float Propensity { get; set; } = .5f;

        public int User { get; set; }

        [VectorType(2)]
        public float[] Policy { get; set; } = [.25f, .75f];
    }

    private sealed class Case
    {
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }

    private sealed class Guess
    {
        public float Score { get; set; }
    }

    private sealed class Memory : IEstimator<ITransformer>
    {
        public const float Unknown = -1;

        public int Fits { get; private set; }

        public ITransformer Fit(IDataView input)
        {
            Fits++;
            var known = new Dictionary<string, float>();
            foreach (var (features, label) in input.GetColumn<float[]>("Features").Zip(input.GetColumn<float>("Label")))
                known[string.Join(' ', features)] = label;
            return Ml.Transforms.CustomMapping<Case, Guess>((one, guess) => guess.Score = known.GetValueOrDefault(string.Join(' ', one.Features), Unknown), null).Fit(input);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => inputSchema;
    }
}
