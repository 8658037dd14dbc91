using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Autoencoder;

/// <summary>An autoencoder's training is stopped and goes on as any other.</summary>
[TestClass]
public sealed class AutoencoderTrainingTests
{
    [TestMethod]
    [DataRow(Buffering.InMemory, Precision.Float32)]
    [DataRow(Buffering.Streaming, Precision.Float32)]
    [DataRow(Buffering.InMemory, Precision.BFloat16)]
    public void Resumed_SameBitsAsInOneGo(Buffering buffering, Precision precision)
    {
        using var folder = new TemporaryFolder();
        AutoencoderTransformer Train(int epochs, string? checkpoints, bool resume) => AutoencoderSample.Fit(o =>
        {
            (o.Epochs, o.CheckpointFolder, o.ResumeFromCheckpoint) = (epochs, checkpoints, resume);
            (o.Buffering, o.Precision, o.EmaDecay, o.ValidationFraction) = (buffering, precision, 0.9, 0.2);
            o.EarlyStopping = new EarlyStopping { Patience = 100 };
        });
        Train(2, folder.Path, false).Dispose();
        using var resumed = Train(5, folder.Path, true);
        using var whole = Train(5, null, false);
        Outcome.AssertSameBits(AutoencoderSample.Weights(whole), AutoencoderSample.Weights(resumed));
        Assert.HasCount(5, resumed.History.Epochs);
    }

    [TestMethod]
    public void OtherOptions_AreNotGoneOnWith()
    {
        using var folder = new TemporaryFolder();
        AutoencoderSample.Fit(o => o.CheckpointFolder = folder.Path).Dispose();
        var error = Assert.Throws<Exception>(() => AutoencoderSample.Fit(o => (o.CheckpointFolder, o.ResumeFromCheckpoint, o.Epochs, o.Output) = (folder.Path, true, 5, AutoencoderOutput.Gaussian)));
        StringAssert.Contains(error.Message, "Output");
    }

    [TestMethod]
    public void Cancel_StopsAndCanBeGoneOnWith()
    {
        using var folder = new TemporaryFolder();
        using var source = new CancellationTokenSource();
        var last = 0;
        void CancelInEpochThree(TrainingProgress progress)
        {
            last = progress.Epoch;
            if (progress.Completed?.Epoch == 3)
                source.Cancel();
        }
        Assert.ThrowsExactly<OperationCanceledException>(() => AutoencoderSample.Fit(o => (o.Epochs, o.CheckpointFolder, o.CancellationToken, o.Progress) = (1000, folder.Path, source.Token, new Listener(CancelInEpochThree))));
        Assert.IsLessThanOrEqualTo(4, last);
        using var resumed = AutoencoderSample.Fit(o => (o.Epochs, o.CheckpointFolder, o.ResumeFromCheckpoint) = (5, folder.Path, true));
        using var whole = AutoencoderSample.Fit(o => o.Epochs = 5);
        Outcome.AssertSameBits(AutoencoderSample.Weights(whole), AutoencoderSample.Weights(resumed));
    }

    [TestMethod]
    public void CancelledBefore_NothingIsRead()
    {
        var rows = AutoencoderSample.Create(10);
        rows[0].Features[0] = float.NaN;
        var estimator = AutoencoderSample.Estimator(o => o.CancellationToken = new CancellationToken(canceled: true));
        Assert.ThrowsExactly<OperationCanceledException>(() => estimator.Fit(AutoencoderSample.View(rows)));
    }

    [TestMethod]
    public void InitialModel_GoesOnWithItsShapeAndWeights()
    {
        using var first = AutoencoderSample.Fit(o => (o.HiddenLayers, o.LatentSize, o.Activation, o.Output) = ([5], 3, Activation.Softsign, AutoencoderOutput.Gaussian));
        void Bare(AutoencoderEstimator.Options o) => (o.InitialModel, o.Epochs, o.HiddenLayers, o.LatentSize, o.Activation) = (first, 0, null, null, null);
        using var same = AutoencoderSample.Fit(Bare);
        Assert.AreEqual(first.Architecture, same.Architecture);
        Outcome.AssertSameBits(AutoencoderSample.Weights(first), AutoencoderSample.Weights(same));
        var error = Assert.Throws<ArgumentException>(() => AutoencoderSample.Fit(o => (o.InitialModel, o.LatentSize) = (first, 4)));
        StringAssert.Contains(error.Message, "InitialModel");
        StringAssert.Contains(error.Message, "encoder.1.weight");
    }

    [TestMethod]
    public void FrozenEncoder_TrainsTheDecoderAlone()
    {
        using var first = AutoencoderSample.Fit();
        using var tuned = AutoencoderSample.Fit(o => (o.InitialModel, o.FrozenLayers) = (first, ["encoder"]));
        Outcome.AssertSameBits(first.Model.GetWeights("encoder.0.weight"), tuned.Model.GetWeights("encoder.0.weight"));
        Outcome.AssertSameBits(first.Model.GetWeights("encoder.1.bias"), tuned.Model.GetWeights("encoder.1.bias"));
        Assert.IsFalse(Outcome.SameBits(first.Model.GetWeights("decoder.0.weight"), tuned.Model.GetWeights("decoder.0.weight")));
    }
}
