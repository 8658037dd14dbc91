using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Reinforcement;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Policies of numbered states as transformers: columns, keys, files.</summary>
[TestClass]
public sealed class TabularPolicyTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly Lazy<TabularPolicyTransformer> Lake = new(() => Solve(new FrozenLakeEnvironment()));

    [TestMethod]
    public void Transform_AddsActionAndValues()
    {
        var rows = Ml.Data.LoadFromEnumerable(new[] { new Row { State = "14" }, new Row { State = "0" }, new Row { State = "99" } });
        var keys = Ml.Transforms.Conversion.MapValueToKey("State", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(rows).Transform(rows);
        var output = Lake.Value.Transform(keys);
        var named = Ml.Transforms.Conversion.MapKeyToValue("PredictedAction").Fit(output).Transform(output);
        CollectionAssert.AreEqual(new[] { "1", "0", "" }, named.GetColumn<string>("PredictedAction").ToArray());
        var values = output.GetColumn<float[]>("ActionValues").ToArray();
        Assert.AreEqual((float)Lake.Value.ActionValue(14, 2), values[0][2]);
        Assert.IsTrue(values[2].All(float.IsNaN), "an unknown state");
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        output.Schema["ActionValues"].GetSlotNames(ref names);
        Assert.AreEqual("3", names.GetItemOrDefault(3).ToString());
    }

    [TestMethod]
    public void KeysWithoutNames_AreNumbers()
    {
        var rows = Ml.Data.LoadFromEnumerable(new[] { new Keyed { State = 14 }, new Keyed { State = 99 } });
        CollectionAssert.AreEqual(new[] { 2u, 0u }, Lake.Value.Transform(rows).GetColumn<uint>("PredictedAction").ToArray());
        CollectionAssert.AreEqual(new[] { 2u }, Lake.Value.Transform(Ml.Data.LoadFromEnumerable(new[] { new ByteKeys { State = 14 } })).GetColumn<uint>("PredictedAction").ToArray());
        CollectionAssert.AreEqual(new[] { 2u }, Lake.Value.Transform(Ml.Data.LoadFromEnumerable(new[] { new WideKeys { State = 14 } })).GetColumn<uint>("PredictedAction").ToArray());
        var other = Ml.Data.LoadFromEnumerable(new[] { new OtherKeys { State = 1 } });
        Assert.Contains("has 7 keys; the policy has 16 states", Assert.ThrowsExactly<ArgumentException>(() => Lake.Value.Transform(other)).Message);
        Assert.Contains("no column 'State'", Assert.ThrowsExactly<ArgumentException>(() => Lake.Value.Transform(Ml.Data.LoadFromEnumerable(new[] { new Unrelated() }))).Message);
        Assert.Contains("must be a key", Assert.ThrowsExactly<ArgumentException>(() => Lake.Value.Transform(Ml.Data.LoadFromEnumerable(new[] { new Row() }))).Message);
    }

    [TestMethod]
    public void PredictionEngine_Works()
    {
        using var engine = Ml.Model.CreatePredictionEngine<Keyed, Prediction>(Lake.Value);
        var prediction = engine.Predict(new Keyed { State = 14 });
        Assert.AreEqual(2u, prediction.PredictedAction);
        Assert.HasCount(4, prediction.ActionValues);
    }

    [TestMethod]
    public void Model_IsSavedAndLoaded_InAnotherProcess()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "policy.zip");
        var rows = MarkovDecisionProcessTests.Log(new FrozenLakeEnvironment(), 2000, 1);
        var data = Ml.Data.LoadFromEnumerable(rows);
        var model = MarkovDecisionProcessTests.Keys().Append(Ml.ReinforcementLearning.Trainers.QLearning(new QLearningEstimator.Options { Epochs = 3, Seed = 1 })).Fit(data);
        Ml.Model.Save(model, data.Schema, path);
        ChildProcess.Run(Load, path, string.Join(' ', model.Transform(data).GetColumn<uint>("PredictedAction"))).AssertSuccess();
        var loaded = ((TransformerChain<ITransformer>)Ml.Model.Load(path, out _)).LastTransformer as TabularPolicyTransformer;
        CollectionAssert.AreEqual(model.LastTransformer.Content.Values, loaded!.Content.Values);
        Assert.AreEqual(model.LastTransformer.History, loaded.History);
        CollectionAssert.AreEqual(model.LastTransformer.StateNames!.ToArray(), loaded.StateNames!.ToArray());
    }

    [TestMethod]
    public void Table_IsSavedAndLoaded()
    {
        var loaded = Reload(Lake.Value);
        Assert.AreEqual(Lake.Value.OptimalReturn, loaded.OptimalReturn);
        for (var pair = 0; pair < 64; pair++)
            CollectionAssert.AreEqual(Lake.Value.Model!.Transitions(pair / 4, pair % 4).ToArray(), loaded.Model!.Transitions(pair / 4, pair % 4).ToArray());
        CollectionAssert.AreEqual(Lake.Value.Model!.InitialStates.ToArray(), loaded.Model!.InitialStates.ToArray());
        Assert.AreEqual(Ml.ReinforcementLearning.Evaluate(Lake.Value, new FrozenLakeEnvironment(), 50).MeanReturn, Ml.ReinforcementLearning.Evaluate(loaded, new FrozenLakeEnvironment(), 50).MeanReturn);
        using var game = new BlackjackEnvironment();
        Assert.AreEqual(715, Reload(Solve(game)).Model!.StateCount, "more states than are seen");
    }

    [TestMethod]
    public void DamagedFile_IsRefused()
    {
        using var stream = new MemoryStream();
        Ml.Model.Save(Lake.Value, null, stream);
        using var archive = new System.IO.Compression.ZipArchive(stream, System.IO.Compression.ZipArchiveMode.Update, leaveOpen: true);
        var entry = archive.Entries.Single(each => each.Name == "policy.bin");
        using (var content = entry.Open())
        {
            content.Position = 300;
            content.WriteByte(7);
        }
        archive.Dispose();
        stream.Position = 0;
        var error = Assert.Throws<Exception>(() => Ml.Model.Load(stream, out _));
        Assert.Contains("policy.bin: is damaged", error.ToString());
    }

    /// <summary>Whatever is in a file, it is a policy or an exception that names the entry.</summary>
    [TestMethod]
    public void AnyBytes_AreAPolicyOrRefused()
    {
        var keys = MarkovDecisionProcessTests.Keys().Append(Ml.ReinforcementLearning.Trainers.QLearning(new QLearningEstimator.Options { Epochs = 1, Seed = 1 }));
        var learned = keys.Fit(Ml.Data.LoadFromEnumerable(MarkovDecisionProcessTests.Log(new FrozenLakeEnvironment(), 200, 1))).LastTransformer;
        var random = new Random(TestSeed.Of(1));
        foreach (var policy in new[] { Lake.Value, learned })
        {
            var bytes = PolicyFile.ToBytes(policy.Content);
            CollectionAssert.AreEqual(bytes, PolicyFile.ToBytes(PolicyFile.Parse(bytes)));
            for (var length = 0; length < bytes.Length; length++)
                Assert.ThrowsExactly<ModelFormatException>(() => PolicyFile.Parse(bytes[..length]));
            Assert.ThrowsExactly<ModelFormatException>(() => PolicyFile.Parse([.. bytes, 0]));
            for (var trial = 0; trial < 3000; trial++)
            {
                var damaged = bytes.ToArray();
                damaged[random.Next(Math.Min(damaged.Length, trial % 2 == 0 ? 60 : damaged.Length))] = (byte)random.Next(256);
                try
                {
                    PolicyFile.Parse(damaged);
                }
                catch (ModelFormatException)
                {
                }
            }
        }
    }

    /// <summary>What could not be loaded again is not saved. Its 2 GB need not be there to see it.</summary>
    [TestMethod]
    public void PolicyTooLargeToLoad_IsNotSaved()
    {
        var content = new PolicyContent(new PolicyKeys(1 << 24, null, 0), new PolicyKeys(16, null, 0), []);
        Assert.Contains("16777216 states and 16 actions takes 2147483904 bytes; files of policies have at most 1073741824", Assert.ThrowsExactly<InvalidOperationException>(() => PolicyFile.ToBytes(content)).Message);
        // The values alone would fit.
        var values = content with { States = new PolicyKeys((1 << 23) - 3, null, 0) };
        Assert.IsGreaterThan(0, PolicyFile.ToBytes(values).Length);
        var table = new TransitionTable(1, 1, [0, 7], new StateTransition[7], [], []);
        Assert.Contains("and its table of 7 transitions takes 1073741851", Assert.ThrowsExactly<InvalidOperationException>(() => PolicyFile.ToBytes(values with { Model = table })).Message);
    }

    /// <summary>Texts of a log are the numbers of the environment, in whatever order they were met.</summary>
    [TestMethod]
    public void PolicyOfALog_ActsInTheEnvironment()
    {
        var rows = MarkovDecisionProcessTests.Log(new CliffWalkingEnvironment(), 30_000, TestSeed.Of(1));
        var policy = MarkovDecisionProcessTests.Keys().Append(Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess()).Fit(Ml.Data.LoadFromEnumerable(rows)).LastTransformer;
        Assert.AreNotEqual("0", policy.StateNames![0]);
        Assert.AreEqual(-13, Ml.ReinforcementLearning.Evaluate(policy, new CliffWalkingEnvironment(), 2).MeanReturn);
    }

    /// <summary>A log may call the end by a name: the numbers beside it stay those of the environment.</summary>
    [TestMethod]
    public void EndWithAName_LeavesTheNumbers()
    {
        var rows = MarkovDecisionProcessTests.Log(new CliffWalkingEnvironment(), 30_000, TestSeed.Of(1));
        foreach (var row in rows.Where(row => row.NextState.Length == 0))
            row.NextState = "end";
        var policy = MarkovDecisionProcessTests.Keys().Append(Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess()).Fit(Ml.Data.LoadFromEnumerable(rows)).LastTransformer;
        Assert.AreEqual(-13, Ml.ReinforcementLearning.Evaluate(policy, new CliffWalkingEnvironment(), 2).MeanReturn);
        rows[0].Action = "jump";
        var mixed = MarkovDecisionProcessTests.Keys().Append(Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess()).Fit(Ml.Data.LoadFromEnumerable(rows)).LastTransformer;
        Assert.Contains("'jump' is no number", Assert.ThrowsExactly<ArgumentException>(() => mixed.Act([36], [true, true, true, true, true], new Random(1))).Message);
    }

    /// <summary>The order of keys says nothing about an environment.</summary>
    [TestMethod]
    public void NamesThatAreNoNumbers_DoNotAct()
    {
        var rows = MarkovDecisionProcessTests.Log(new CliffWalkingEnvironment(), 1_000, TestSeed.Of(1));
        foreach (var row in rows)
            row.Action = "action " + row.Action;
        var policy = MarkovDecisionProcessTests.Keys().Append(Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess()).Fit(Ml.Data.LoadFromEnumerable(rows)).LastTransformer;
        Assert.Contains("but an environment has numbers", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Evaluate(policy, new CliffWalkingEnvironment(), 2)).Message);
    }

    [TestMethod]
    public void OtherEnvironment_IsRefused()
    {
        var message = Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Evaluate(Lake.Value, new CliffWalkingEnvironment(), 2)).Message;
        Assert.Contains("16 states and 4 actions", message);
        Assert.Contains("48 states and 4 actions", message);
        Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Watch(Lake.Value, new CartPoleEnvironment()));
    }

    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(1.5f)]
    [DataRow(float.PositiveInfinity)]
    public void State_IsAWholeNumber(float state) =>
        Assert.Contains("a whole number", Assert.ThrowsExactly<ArgumentException>(() => Lake.Value.Act([state], [], new Random(1))).Message);

    [TestMethod]
    public void Ties_AreBrokenAtRandom()
    {
        // In a hole or at the goal all values are 0.
        var actions = Enumerable.Range(0, 100).Select(seed => Lake.Value.Act([5], [], new Random(seed))).Distinct().Count();
        Assert.AreEqual(4, actions);
        Assert.AreEqual(2, Lake.Value.Act([5], [false, false, true, false], new Random(1)));
        Assert.ThrowsExactly<ArgumentException>(() => Lake.Value.Act([5], [false, false, false, false], new Random(1)));
        Assert.ThrowsExactly<ArgumentException>(() => Lake.Value.Act([5, 1], [], new Random(1)));
    }

    [TestMethod]
    public void Watch_KeepsPicturesAndTexts()
    {
        using var cliff = EnvironmentRegistry.Make("CliffWalking-v1");
        var policy = Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess().Fit(cliff);
        var episode = Ml.ReinforcementLearning.Watch(policy, cliff, interval: 5);
        Assert.AreEqual(new EpisodeSummary(-13, 13, false), episode.Summary);
        Assert.HasCount(4, episode.Frames, "steps 0, 5, 10 and the last one");
        Assert.Contains("@", episode.Texts[0]);
    }

    [TestMethod]
    public void Evaluate_OfARule_WithALimit()
    {
        using var cliff = EnvironmentRegistry.Make("CliffWalking-v1");
        var metrics = Ml.ReinforcementLearning.Evaluate(new Up(), cliff, 4, maximumSteps: 20, successReturn: -13);
        Assert.AreEqual(-20, metrics.MeanReturn);
        Assert.AreEqual(1, metrics.TruncatedShare);
        Assert.AreEqual(0, metrics.SuccessShare);
        Assert.AreEqual(7, metrics.Regret!.Value, 1e-9);
        Assert.AreEqual(0, metrics.StandardError);
        Assert.Contains("return -20", metrics.ToString());
    }

    private static void Load(string[] args)
    {
        var context = new MLContext();
        var model = context.Model.Load(args[0], out _);
        var rows = context.Data.LoadFromEnumerable(MarkovDecisionProcessTests.Log(new FrozenLakeEnvironment(), 2000, 1));
        Assert.AreEqual(args[1], string.Join(' ', model.Transform(rows).GetColumn<uint>("PredictedAction")));
    }

    private static TabularPolicyTransformer Solve(IEnvironment environment) => Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess().Fit(environment);

    private static TabularPolicyTransformer Reload(TabularPolicyTransformer policy)
    {
        using var stream = new MemoryStream();
        Ml.Model.Save(policy, null, stream);
        stream.Position = 0;
        return Ml.Model.Load(stream, out _) as TabularPolicyTransformer ?? throw new AssertFailedException("no policy");
    }

    private sealed class Up : IPolicy
    {
        public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random) => 0;
    }

    private sealed class Row
    {
        public string State { get; set; } = "";
    }

    private sealed class Unrelated
    {
        public float Other { get; set; }
    }

    // ML.NET counts keys of objects from 0 and makes what is out of range a missing key.
    private sealed class Keyed
    {
        [KeyType(16)]
        public uint State { get; set; }
    }

    private sealed class ByteKeys
    {
        [KeyType(16)]
        public byte State { get; set; }
    }

    private sealed class WideKeys
    {
        [KeyType(16)]
        public ulong State { get; set; }
    }

    private sealed class OtherKeys
    {
        [KeyType(7)]
        public uint State { get; set; }
    }

    private sealed class Prediction
    {
        public uint PredictedAction { get; set; }

        public float[] ActionValues { get; set; } = [];
    }
}
