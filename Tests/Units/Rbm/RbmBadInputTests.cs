using Microsoft.ML;

namespace MLExtensions.Tests.Rbm;

/// <summary>What machines cannot be trained on or with is refused before training, by name.</summary>
[TestClass]
public sealed class RbmBadInputTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void ValuesOutsideOfProbabilities_AreNamed()
    {
        foreach (var buffering in Enum.GetValues<Buffering>())
        {
            foreach (var (value, text) in new[] { (1.5f, "1.5"), (-0.25f, "-0.25"), (float.NaN, "NaN") })
            {
                var rows = RbmSample.Bars(20);
                rows[7].Features[3] = value;
                var epochs = 0;
                var error = Assert.Throws<FormatException>(() => RbmSample.Fit(rows, o => (o.Buffering, o.Progress) = (buffering, new Contract.Listener(_ => epochs++))));
                Assert.Contains($"olumn 'Features', row 7 (the first row is 0), slot 3: the value is {text}", error.Message);
                Assert.IsTrue(float.IsNaN(value) || error.Message.Contains("NormalizeMinMax", StringComparison.Ordinal), error.Message);
                Assert.AreEqual(0, epochs, "reports before the error");
            }
        }
        var bad = RbmSample.Bars(20);
        bad[2].Features[0] = 2;
        var trainer = Ml.Transforms.Rbm(RbmSample.Options());
        Assert.Contains("row 2 (the first row is 0), slot 0: the value is 2", Assert.Throws<FormatException>(() => trainer.Fit(RbmSample.View(Ml, RbmSample.Bars(20)), RbmSample.View(Ml, bad))).Message);
    }

    [TestMethod]
    public void SoftmaxUnits_MustSumToOne()
    {
        var rows = RbmSample.Pairs(20);
        rows[4].Features = [1, 0, 0, 0, 0, 0];
        Assert.Contains("'Features', row 4 (the first row is 0), slots 3 to 5: the sum is 0", Assert.Throws<FormatException>(() => RbmSample.Fit(rows, o => (o.VisibleUnits, o.SoftmaxGroups) = (VisibleUnitType.Softmax, [3, 3]))).Message);
        Assert.Contains("SoftmaxGroups is 3, 4", Assert.Throws<ArgumentException>(() => RbmSample.Fit(RbmSample.Pairs(20), o => (o.VisibleUnits, o.SoftmaxGroups) = (VisibleUnitType.Softmax, [3, 4]))).Message);
    }

    [TestMethod]
    public void GaussianUnits_WarnOfAnotherScale()
    {
        var rows = RbmSample.Reals(50);
        foreach (var row in rows)
            row.Features[2] *= 100;
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, log) => warnings.AddRange(log.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning ? [log.Message] : []);
        ml.Transforms.Rbm(RbmSample.Options(o => (o.VisibleUnits, o.Epochs, o.LearningRate) = (VisibleUnitType.Gaussian, 1, 1e-6))).Fit(RbmSample.View(ml, rows)).Dispose();
        var warning = warnings.Single(line => line.Contains("variance"));
        Assert.Contains("'Features', slot 2: the variance", warning);
        Assert.Contains("NormalizeMeanVariance", warning);
    }

    [TestMethod]
    public void TooLargeARate_Diverges()
    {
        var error = Assert.Throws<TrainingDivergedException>(() => RbmSample.Fit(RbmSample.Reals(100), o => (o.VisibleUnits, o.LearningRate, o.HiddenLayers) = (VisibleUnitType.Gaussian, 1e10, [new RbmLayer(4) { Type = HiddenUnitType.Gaussian }])));
        Assert.Contains("epoch 1", error.Message);
    }

    [TestMethod]
    public void Options_OutOfRange_AreRefusedAtConstruction()
    {
        (string Option, Action<RbmEstimator.Options> Set)[] bad =
        [
            ("HiddenLayers", o => o.HiddenLayers = []),
            ("HiddenLayers[1].Units", o => o.HiddenLayers = [3, 0]),
            ("HiddenLayers[0].LearningRate", o => o.HiddenLayers = [new RbmLayer(2) { LearningRate = -1 }]),
            ("HiddenLayers[0].Epochs", o => o.HiddenLayers = [new RbmLayer(2) { Epochs = 0 }]),
            ("GibbsSteps", o => o.GibbsSteps = 0),
            ("PersistentChains", o => o.PersistentChains = 0),
            ("SparsityTarget", o => o.SparsityTarget = 0),
            ("SparsityTarget", o => o.SparsityTarget = 1),
            ("SparsityTarget", o => (o.SparsityTarget, o.HiddenLayers) = (0.1, [new RbmLayer(2) { Type = HiddenUnitType.ReLU }])),
            ("SparsityCost", o => o.SparsityCost = double.NaN),
            ("SoftmaxGroups", o => o.SoftmaxGroups = [2]),
            ("SoftmaxGroups[0]", o => (o.VisibleUnits, o.SoftmaxGroups) = (VisibleUnitType.Softmax, [1])),
            ("VisibleUnits", o => o.VisibleUnits = (VisibleUnitType)9),
            ("Output", o => (o.Output, o.HiddenLayers) = (RbmOutput.Samples, [new RbmLayer(2) { Type = HiddenUnitType.Gaussian }])),
            ("OutputColumnName", o => o.OutputColumnName = " "),
            ("InputColumnName", o => o.InputColumnName = ""),
            ("ReconstructionColumnName", o => o.ReconstructionColumnName = ""),
            ("FreeEnergyColumnName", o => (o.FreeEnergyColumnName, o.ReconstructionColumnName) = ("Same", "Same")),
            ("ShuffleBufferRows", o => o.ShuffleBufferRows = 0),
            ("InitialWeightsPath", o => (o.InitialWeightsPath, o.HiddenLayers) = ("file", [3, 3])),
        ];
        foreach (var (option, set) in bad)
            Assert.Contains(option, Assert.Throws<ArgumentException>(() => Ml.Transforms.Rbm(RbmSample.Options(set)), option).Message);
    }

    [TestMethod]
    public void AnotherInitialModel_IsRefused()
    {
        using var first = RbmSample.Fit(RbmSample.Bars(50), o => o.Epochs = 1);
        Assert.Contains("InitialModel", Assert.Throws<ArgumentException>(() => RbmSample.Fit(RbmSample.Bars(50), o => (o.InitialModel, o.HiddenLayers) = (first, [5]))).Message);
        using var same = RbmSample.Fit(RbmSample.Bars(50), o => (o.InitialModel, o.Epochs) = (first, 0));
        CollectionAssert.AreEqual(first.Layers[0].GetWeights("weight"), same.Layers[0].GetWeights("weight"));
    }
}
