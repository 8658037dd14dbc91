using MLExtensions.Tests.Contract;
using TorchSharp;

namespace MLExtensions.Tests.Autoencoder;

/// <summary>What an autoencoder learns, against what principal components can say with as many numbers.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class AutoencoderLearningTests
{
    /// <summary>The data has two coordinates, but no plane goes through it.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(AutoencoderOutput.Bernoulli)]
    [DataRow(AutoencoderOutput.Gaussian)]
    public void Surface_BelowWhatPrincipalComponentsReach(AutoencoderOutput output)
    {
        using var model = AutoencoderSample.Fit(o => (o.Output, o.Epochs, o.HiddenLayers, o.LearningRateSchedule, o.LearningRate) = (output, 120, [32], LearningRateSchedule.Cosine(), 0.02), rows: 500);
        var unseen = AutoencoderSample.Create(500, seed: 9);
        var floor = PrincipalComponentError(unseen.Select(row => row.Features).ToArray(), 2);
        var error = model.ReconstructionError(AutoencoderSample.View(unseen));
        Floor.Above(0.001, floor, $"{output}: the surface is bent");
        Floor.Below(0.9, error / floor, $"{output}: against two principal components");
    }

    /// <summary>Baldi and Hornik, 1989: the best linear autoencoder spans the principal components.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Linear_IsPrincipalComponentAnalysis()
    {
        var rows = AutoencoderSample.Create(400);
        var floor = PrincipalComponentError(rows.Select(row => row.Features).ToArray(), 2);
        using var model = AutoencoderSample.Estimator(o => (o.Output, o.HiddenLayers, o.Epochs, o.LearningRateSchedule) = (AutoencoderOutput.Gaussian, [], 120, LearningRateSchedule.Cosine())).Fit(AutoencoderSample.View(rows));
        var error = model.ReconstructionError(AutoencoderSample.View(rows));
        Assert.IsGreaterThan(floor * 0.9999, error, "no straight code is better");
        Floor.Below(1.1, error / floor, "as good");
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void History_HasLossAndSquaredError()
    {
        using var model = AutoencoderSample.Fit(o => (o.Epochs, o.ValidationFraction) = (8, 0.25), rows: 400);
        var history = model.History;
        Assert.HasCount(8, history.Epochs);
        Floor.Below(0.95, history.Epochs[^1].Training["loss"] / history.Epochs[0].Training["loss"], "loss");
        Floor.Below(0.8, history.Epochs[^1].Validation!["mse"] / history.Epochs[0].Validation!["mse"], "mse");
        using var real = AutoencoderSample.Estimator(o => (o.Output, o.EmaDecay) = (AutoencoderOutput.Gaussian, null)).Fit(AutoencoderSample.View(300), AutoencoderSample.View(100, seed: 5));
        var last = real.History.Epochs[^1];
        Assert.AreEqual(last.Validation!["loss"], last.Validation["mse"], 1e-9, "the squared error is the loss of real numbers");
        Assert.AreEqual(real.ReconstructionError(AutoencoderSample.View(100, seed: 5)), last.Validation["mse"], 1e-6);
    }

    /// <summary>The cross entropy of the network's own probabilities, by hand.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Loss_IsTheCrossEntropyPerFeature()
    {
        var rows = AutoencoderSample.Create(100, seed: 5);
        using var model = AutoencoderSample.Estimator().Fit(AutoencoderSample.View(300), AutoencoderSample.View(rows));
        var expected = rows.Average(row => row.Features.Zip(model.Reconstruct(row.Features), (x, p) => -((x * Math.Log(p)) + ((1 - x) * Math.Log(1 - p)))).Average());
        Floor.Near(expected, model.History.Epochs[^1].Validation!["loss"], 1e-5);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void EarlyStopping_StopsAndKeepsTheBest()
    {
        using var model = AutoencoderSample.Estimator(o => (o.Epochs, o.LearningRate, o.EarlyStopping) = (100, 0.3, new EarlyStopping { Patience = 2 }))
            .Fit(AutoencoderSample.View(200), AutoencoderSample.View(100, seed: 5));
        var history = model.History;
        Floor.Below(100, history.Epochs.Count);
        var best = history.Epochs.MinBy(epoch => epoch.Validation!["loss"])!;
        Assert.AreEqual(best.Epoch, history.BestEpoch);
        Assert.AreEqual(best.Validation!["mse"], model.ReconstructionError(AutoencoderSample.View(100, seed: 5)), 1e-6);
    }

    [TestMethod]
    public void SameSeed_SameBits()
    {
        using var first = AutoencoderSample.Fit();
        using var second = AutoencoderSample.Fit();
        using var other = AutoencoderSample.Fit(seed: 2);
        using var streamed = AutoencoderSample.Fit(o => o.Buffering = Buffering.Streaming);
        using var streamedAgain = AutoencoderSample.Fit(o => o.Buffering = Buffering.Streaming);
        Outcome.AssertSameBits(AutoencoderSample.Weights(first), AutoencoderSample.Weights(second));
        Outcome.AssertSameBits(AutoencoderSample.Weights(streamed), AutoencoderSample.Weights(streamedAgain));
        Assert.IsFalse(Outcome.SameBits(AutoencoderSample.Weights(first), AutoencoderSample.Weights(other)));
    }

    /// <summary>The mean squared error per feature of the best plane of so many dimensions.</summary>
    private static double PrincipalComponentError(float[][] rows, int components)
    {
        using var scope = torch.NewDisposeScope();
        var data = torch.tensor(rows.SelectMany(row => row).ToArray()).reshape(rows.Length, -1).to(torch.ScalarType.Float64);
        var left = torch.linalg.svdvals(data - data.mean([0], keepdim: true)).narrow(0, components, rows[0].Length - components);
        return left.pow(2).sum().item<double>() / data.NumberOfElements;
    }
}
