using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Rbm;

/// <summary>Machines of every kind of unit learn what there is to learn.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class RbmLearningTests
{
    [TestMethod]
    [TestCategory("Floor")]
    public void Bars_AreReconstructedAndDreamt()
    {
        foreach (var (way, change) in new (string, Action<RbmEstimator.Options>)[] { ("one step", _ => { }), ("chains", o => o.PersistentChains = 10), ("three steps", o => (o.GibbsSteps, o.SampleVisible) = (3, true)), ("momentum", o => o.Optimizer = new SgdOptimizer { Momentum = 0.5 }) })
        {
            using var machine = RbmSample.Fit(RbmSample.Bars(500), change);
            var history = machine.Histories[0];
            Floor.Below(0.02, history.Epochs[^1].TrainingLoss, $"{way} loss");
            // Each pixel follows from the others of its column, so the best is 0, and independent pixels give -16 log 2 = -11.
            Floor.Above(-1.5, history.Epochs[^1].Training["pseudoLogLikelihood"], $"{way} pseudo likelihood");
            var dreams = machine.Sample(count: 200, steps: 100, seed: 3);
            Floor.Above(0.9, dreams.Average(IsBars), $"{way} dreams");
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void GaussianUnits_FindTheCause()
    {
        using var machine = RbmSample.Fit(RbmSample.Reals(1000), o => (o.VisibleUnits, o.HiddenLayers, o.LearningRate) = (VisibleUnitType.Gaussian, [4], 0.01));
        // The variance is about 1, of which the cause has .81 and the noise .19.
        Floor.Below(0.35, machine.Histories[0].Epochs[^1].TrainingLoss, "loss");
        var positive = machine.Reconstruct([0.9f, 0.9f, 0.9f, 0.9f, 0.9f, -0.9f]);
        Floor.Above(0.3, positive[5], "the last value follows the others");
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void SoftmaxUnits_PredictEachOther()
    {
        using var machine = RbmSample.Fit(RbmSample.Pairs(600), o => (o.VisibleUnits, o.SoftmaxGroups, o.PersistentChains) = (VisibleUnitType.Softmax, [3, 3], 20));
        for (var category = 0; category < 3; category++)
        {
            var known = RbmSample.Pair(category).Select((value, i) => i < 3 ? value : 1 / 3f).ToArray();
            var second = machine.Reconstruct(known)[3..];
            Assert.AreEqual(category, Array.IndexOf(second, second.Max()));
            Assert.AreEqual(1, second.Sum(), 1e-4);
        }
        var dreams = machine.Sample(count: 300, steps: 50, seed: 1);
        Floor.Above(0.8, dreams.Average(dream => Array.IndexOf(dream[..3], dream[..3].Max()) == Array.IndexOf(dream[3..], dream[3..].Max()) ? 1.0 : 0));
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void OtherHiddenUnits_Learn()
    {
        foreach (var (type, rate) in new[] { (HiddenUnitType.ReLU, 0.02), (HiddenUnitType.Gaussian, 0.005) })
        {
            using var machine = RbmSample.Fit(RbmSample.Bars(500), o => (o.HiddenLayers, o.LearningRate) = ([new RbmLayer(12) { Type = type }], rate));
            Floor.Below(0.06, machine.Histories[0].Epochs[^1].TrainingLoss, $"{type}");
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void SparsityTarget_IsReached()
    {
        double MeanOf(double? target)
        {
            using var machine = RbmSample.Fit(RbmSample.Bars(500), o => (o.SparsityTarget, o.SparsityCost) = (target, 3));
            var ml = new MLContext(1);
            return machine.Transform(RbmSample.View(ml, RbmSample.Bars(500))).GetColumn<float[]>("Hidden").Average(row => row.Average());
        }
        Floor.Near(0.15, MeanOf(0.15), 0.05, "with");
        Floor.Above(0.25, MeanOf(null), "without");
    }

    /// <summary>Of the 16 images, validation has those that training does not know.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void FewRows_TheFreeEnergyGapGrows()
    {
        using var machine = RbmSample.Fit(Enumerable.Range(0, 16).Select(RbmSample.Bar).ToArray(), o => (o.ValidationFraction, o.Epochs, o.HiddenLayers) = (0.5, 300, [30]));
        var epochs = machine.Histories[0].Epochs;
        Floor.Above(0.2, epochs[^1].Validation["freeEnergyGap"] - epochs[0].Validation["freeEnergyGap"]);
        Assert.AreEqual(epochs[^1].Validation["freeEnergy"] - epochs[^1].Training["freeEnergy"], epochs[^1].Validation["freeEnergyGap"], 1e-4);
    }

    [TestMethod]
    public void Biases_StartFromTheData()
    {
        var rows = RbmSample.Bars(500);
        using var machine = RbmSample.Fit(rows, o => (o.Epochs, o.LearningRate) = (1, 1e-30));
        var biases = machine.Layers[0].GetWeights("visible_bias");
        for (var pixel = 0; pixel < biases.Length; pixel++)
        {
            var mean = rows.Average(row => row.Features[pixel]);
            Assert.AreEqual(Math.Log(mean / (1 - mean)), biases[pixel], 1e-4);
        }
        using var without = RbmSample.Fit(rows, o => (o.Epochs, o.LearningRate, o.InitializeVisibleBiases) = (1, 1e-30, false));
        Assert.IsTrue(without.Layers[0].GetWeights("visible_bias").All(bias => Math.Abs(bias) < 1e-20));
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Stack_IsTrainedLayerByLayer()
    {
        var stages = new List<string?>();
        using var stack = RbmSample.Fit(RbmSample.Bars(300), o =>
        {
            o.HiddenLayers = [16, new RbmLayer(12) { Epochs = 20 }, 10];
            (o.LearningRate, o.BatchSize) = (0.5, 10);
            o.Progress = new Contract.Listener(progress => stages.Add(progress.Stage));
        });
        CollectionAssert.AreEqual(new[] { 30, 20, 30 }, stack.Layers.Select(layer => layer.History!.Epochs.Count).ToArray());
        CollectionAssert.AreEqual(new[] { "layer 1 of 3", "layer 2 of 3", "layer 3 of 3" }, stages.Distinct().ToArray());
        CollectionAssert.AreEqual(new[] { 10, 12 }, new[] { stack.GetWeights(2).Length, stack.GetWeights(2)[0].Length });
        Floor.Above(0.7, RbmSample.Bars(50, seed: 5).Average(row => row.Features.Zip(stack.Reconstruct(row.Features), (pixel, again) => Math.Abs(pixel - again) < 0.25 ? 1.0 : 0).Average()), "reconstructed");
        Floor.Above(0.6, stack.Sample(100, 100, 1).Average(IsBars), "dreamt");
    }

    /// <summary>The share of pixels that are clearly on or off, as most of their column is.</summary>
    private static double IsBars(float[] image) => Enumerable.Range(0, RbmSample.Side * RbmSample.Side).Average(pixel =>
    {
        var column = Enumerable.Range(0, RbmSample.Side).Average(row => image[(row * RbmSample.Side) + (pixel % RbmSample.Side)]);
        return Math.Abs(image[pixel] - 0.5) > 0.25 && (image[pixel] > 0.5) == (column > 0.5) ? 1.0 : 0;
    });
}
