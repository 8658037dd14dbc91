using Microsoft.ML;
using MLExtensions.Engine;
using MLExtensions.Tests.Contract;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training.FineTuning;

/// <summary>Frozen layers stay as they were, to the last bit, and the rest learns.</summary>
[TestClass]
public sealed class FrozenLayerTests
{
    [TestMethod]
    [DataRow(Precision.Float32)]
    [DataRow(Precision.BFloat16)]
    public void WeightsAndStatisticsStay_TheRestMoves(Precision precision)
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Pretrained(folder);
        using var model = Tuning.Fit(o => (o.InitialWeightsPath, o.FrozenLayers, o.Epochs, o.BatchSize, o.Precision) = (start, ["hidden.0"], 3, 20, precision));
        foreach (var name in model.Model.WeightShapes.Keys)
        {
            var same = Outcome.SameBits(Tuning.Read(start, name), model.Model.GetWeights(name));
            Assert.AreEqual(name.StartsWith("hidden.0.", StringComparison.Ordinal), same, name);
        }
        Assert.AreEqual(18f + 9, model.Model.GetWeights("hidden.1.norm.num_batches_tracked")[0]);
    }

    [TestMethod]
    public void ANameEndsAtADot()
    {
        using var folder = new TemporaryFolder();
        void Deep(MlpMulticlassTrainer.Options o) => o.HiddenLayers = [.. Enumerable.Repeat((HiddenLayer)4, 11)];
        var start = Tuning.Pretrained(folder, Deep);
        using var model = Tuning.Fit(o =>
        {
            Deep(o);
            (o.InitialWeightsPath, o.FrozenLayers) = (start, ["hidden.1", "output.bias"]);
        });
        foreach (var (name, isFrozen) in new[] { ("hidden.1.linear.weight", true), ("hidden.10.linear.weight", false), ("output.bias", true), ("output.weight", false) })
            Assert.AreEqual(isFrozen, Outcome.SameBits(Tuning.Read(start, name), model.Model.GetWeights(name)), name);
    }

    [TestMethod]
    public void FrozenParametersAreNotInTheSetAndTakeNoGradient()
    {
        using var scope = NewDisposeScope();
        var first = nn.Linear(3, 4);
        var second = nn.Linear(4, 2);
        var network = nn.Sequential(("first", first), ("second", second));
        using var set = new ParameterSet(network, new OptimizationSettings { Optimizer = new SgdOptimizer(), Layers = new LayerSelection(["first"], []) });
        CollectionAssert.AreEqual(new[] { "second.weight", "second.bias" }, set.Split(set.Weights).Select(part => part.Name).ToArray());
        Assert.AreEqual(32, set.Weights.NumberOfElements);
        var outputs = network.call(ones(1, 3));
        outputs.sum().backward();
        Assert.IsFalse(first.weight.requires_grad);
        Assert.IsNull(first.weight.grad);
        Assert.AreEqual(1f, set.Split(set.Gradients).Last().Value[0].item<float>());
    }

    [TestMethod]
    public void UnknownName_IsRefusedWithTheNearest()
    {
        var error = Assert.Throws<ArgumentException>(() => Tuning.Fit(o => o.FrozenLayers = ["output", "hiden.0"]));
        Assert.StartsWith("FrozenLayers[1] is 'hiden.0'", error.Message);
        Assert.Contains("Did you mean 'hidden.0'?", error.Message);
        Assert.Contains("hidden.0.linear, hidden.0.norm, hidden.1.linear, hidden.1.norm, output", error.Message);
    }

    /// <summary>Reading may take minutes: what does not fit is found before.</summary>
    [TestMethod]
    public void UnknownName_IsRefusedBeforeTheDataIsRead()
    {
        var ml = new MLContext(1);
        var trainer = ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { LabelColumnName = nameof(Example.Target), FrozenLayers = ["features"] });
        var unreadable = Example.View(ml, new[] { new Example().With(float.NaN, 1) });
        Assert.StartsWith("FrozenLayers[0]", Assert.Throws<ArgumentException>(() => trainer.Fit(unreadable)).Message);
    }

    [TestMethod]
    public void Everything_IsRefused()
    {
        var error = Assert.Throws<ArgumentException>(() => Tuning.Fit(o => o.FrozenLayers = ["hidden", "output"]));
        Assert.Contains("FrozenLayers (hidden, output)", error.Message);
        Assert.Throws<ArgumentException>(() => Tuning.Fit(o => o.FrozenLayers = [" "]));
        Assert.Throws<ArgumentNullException>(() => Tuning.Fit(o => o.FrozenLayers = null!));
    }

    /// <summary>Frozen weights are in no checkpoint: drawn, they come from the seed again, and from a file out of the file.</summary>
    [TestMethod]
    [DataRow(false, Precision.Float32)]
    [DataRow(true, Precision.Float32)]
    [DataRow(true, Precision.BFloat16)]
    public void Resumed_SameBitsAsInOneGo(bool fromFile, Precision precision)
    {
        using var folder = new TemporaryFolder();
        var start = fromFile ? Tuning.Pretrained(folder) : null;
        MulticlassNetworkTransformer Train(string? checkpoints, int epochs, bool resume) => Tuning.Fit(o =>
        {
            (o.InitialWeightsPath, o.FrozenLayers, o.LayerRules) = (start, ["hidden.0"], [new LayerRule("hidden.1") { LearningRateFactor = 0.5 }]);
            (o.CheckpointFolder, o.Epochs, o.ResumeFromCheckpoint, o.Precision, o.BatchSize) = (checkpoints, epochs, resume, precision, 10);
            (o.Optimizer, o.Dropout, o.ValidationFraction, o.EmaDecay) = (new AdamOptimizer(), 0.1, 0.2, 0.9);
            o.EarlyStopping = new EarlyStopping { Patience = 100 };
        });
        Train(folder.File("checkpoints"), 2, resume: false).Dispose();
        var resumed = Train(folder.File("checkpoints"), 5, resume: true);
        Outcome.AssertSameBits(Outcome.Weights(Train(null, 5, resume: false)), Outcome.Weights(resumed));
    }

    [TestMethod]
    public void ResumedFromOtherFrozenWeights_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Pretrained(folder);
        void Train(string file, bool resume, string frozen = "hidden.0", double factor = 1) => Tuning.Fit(o =>
        {
            (o.InitialWeightsPath, o.FrozenLayers, o.CheckpointFolder, o.ResumeFromCheckpoint, o.Epochs) = (file, [frozen], folder.File("checkpoints"), resume, 2);
            o.LayerRules = [new LayerRule("output") { LearningRateFactor = factor }];
        }).Dispose();
        Train(start, resume: false);
        var other = Tuning.Changed(start, tensors => tensors["hidden.0.linear.weight"].add_(1e-3));
        Assert.Contains("initial weights of the network", Assert.Throws<InvalidOperationException>(() => Train(other, resume: true)).Message);
        Assert.Contains("FrozenLayers", Assert.Throws<InvalidOperationException>(() => Train(start, resume: true, frozen: "hidden.0.linear")).Message);
        Assert.Contains("LayerRules", Assert.Throws<InvalidOperationException>(() => Train(start, resume: true, factor: 2)).Message);
        Train(start, resume: true);
    }

    [TestMethod]
    public void ChangedAfterwards_HasNoEffect()
    {
        var layers = new List<string> { "hidden.0" };
        var rules = new List<LayerRule> { new("output") { LearningRateFactor = 2 } };
        var options = new MlpMulticlassTrainer.Options { FrozenLayers = layers, LayerRules = rules };
        var copy = (DataTrainingOptions)options.Snapshot();
        layers.Clear();
        rules.Clear();
        Assert.AreEqual("hidden.0", copy.FrozenLayers.Single());
        Assert.AreEqual(2, copy.LayerRules.Single().LearningRateFactor);
    }
}
