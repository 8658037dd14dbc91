using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Training.FineTuning;

/// <summary>What a rule for a layer does to one step of gradient descent.</summary>
[TestClass]
public sealed class LayerRuleTests
{
    private static readonly string[] Moving = ["hidden.0.linear.weight", "hidden.0.norm.weight", "hidden.1.linear.weight", "hidden.1.norm.bias", "output.weight", "output.bias"];

    [TestMethod]
    public void Factor_MovesThatMuchOfTheDistance()
    {
        var steps = StepsWith([new LayerRule("hidden.0") { LearningRateFactor = 0.1 }]);
        foreach (var (name, share) in steps)
            Assert.AreEqual(name.StartsWith("hidden.0.", StringComparison.Ordinal) ? 0.1 : 1, share, 2e-3, name);
    }

    [TestMethod]
    public void LongestName_WinsWhateverTheOrder()
    {
        LayerRule[] rules = [new("hidden.0.linear") { LearningRateFactor = 0.25 }, new("hidden") { LearningRateFactor = 0.5 }, new("hidden.0") { LearningRateFactor = 2 }];
        foreach (var order in new[] { rules, rules.Reverse().ToArray() })
        {
            var steps = StepsWith(order);
            Assert.AreEqual(0.25, steps["hidden.0.linear.weight"], 2e-3);
            Assert.AreEqual(2, steps["hidden.0.norm.weight"], 1e-2);
            Assert.AreEqual(0.5, steps["hidden.1.linear.weight"], 2e-3);
            Assert.AreEqual(1, steps["output.weight"], 1e-6);
        }
    }

    [TestMethod]
    public void L2AndWeightDecay_AreAddedToTheStepByHand()
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Pretrained(folder);
        using var plain = Tuning.Fit(o => o.InitialWeightsPath = start);
        using var ruled = Tuning.Fit(o =>
        {
            o.InitialWeightsPath = start;
            o.L2Regularization = 0.2;
            o.LayerRules = [new LayerRule("output") { L2Regularization = 0.5 }, new LayerRule("hidden.1") { L2Regularization = 0, WeightDecay = 0.3, LearningRateFactor = 0.5 }];
        });
        // A step is w - rate (g + l w); decoupled decay takes rate * factor * decay * w beside half the gradient's step.
        AssertMoved("hidden.0.linear.weight", (w, after) => after - (Tuning.Rate * 0.2 * w));
        AssertMoved("output.weight", (w, after) => after - (Tuning.Rate * 0.5 * w));
        AssertMoved("output.bias", (w, after) => after);
        AssertMoved("hidden.1.linear.weight", (w, after) => w + (0.5 * (after - w)) - (Tuning.Rate * 0.5 * 0.3 * w));

        void AssertMoved(string name, Func<double, double, double> expected)
        {
            var values = Tuning.Read(start, name).Zip(plain.Model.GetWeights(name), (w, after) => (float)expected(w, after)).ToArray();
            Outcome.AssertClose(values, ruled.Model.GetWeights(name), 1e-6);
        }
    }

    [TestMethod]
    public void ARuleThatSaysNothing_ChangesNoBit()
    {
        void Options(MlpMulticlassTrainer.Options o) => (o.Epochs, o.BatchSize, o.Optimizer, o.L1Regularization, o.L2Regularization) = (3, 10, new AdamWOptimizer(), 0.01, 0.02);
        using var plain = Tuning.Fit(Options);
        using var ruled = Tuning.Fit(o =>
        {
            Options(o);
            o.LayerRules = [new LayerRule("hidden.1")];
        });
        Outcome.AssertSameBits(Outcome.Weights(plain), Outcome.Weights(ruled));
    }

    [TestMethod]
    public void BadRules_AreRefused()
    {
        AssertRefused("LayerRules[0].LearningRateFactor is 0", new LayerRule("output") { LearningRateFactor = 0 });
        AssertRefused("LayerRules[0].L2Regularization is NaN", new LayerRule("output") { L2Regularization = double.NaN });
        AssertRefused("LayerRules[1].WeightDecay is -1", new LayerRule("hidden"), new LayerRule("output") { WeightDecay = -1 });
        AssertRefused("LayerRules[0].Layer is empty", new LayerRule(""));
        AssertRefused("several rules for 'output'", new LayerRule("output"), new LayerRule("output") { WeightDecay = 1 });
        AssertRefused("LayerRules[0] is 'outputs'", new LayerRule("outputs"));
        AssertRefused("LayerRules[0] is for 'hidden.0.norm', which is completely in FrozenLayers", new LayerRule("hidden.0.norm"));
        AssertRefused("LayerRules[0]", [null!]);

        static void AssertRefused(string message, params LayerRule[] rules)
        {
            var error = Assert.Throws<ArgumentException>(() => Tuning.Fit(o => (o.FrozenLayers, o.LayerRules) = (["hidden.0"], rules)));
            Assert.Contains(message, error.Message);
        }
    }

    /// <summary>How far the rules let each tensor go in one step, as a share of the way without them.</summary>
    private static Dictionary<string, double> StepsWith(LayerRule[] rules)
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Pretrained(folder);
        using var plain = Tuning.Fit(o => (o.InitialWeightsPath, o.LearningRate) = (start, 1));
        using var ruled = Tuning.Fit(o => (o.InitialWeightsPath, o.LearningRate, o.LayerRules) = (start, 1, rules));
        double Way(MulticlassNetworkTransformer model, string name) => Tuning.Read(start, name).Zip(model.Model.GetWeights(name), (a, b) => Math.Abs(b - a)).Sum();
        return Moving.ToDictionary(name => name, name => Way(ruled, name) / Way(plain, name));
    }
}
