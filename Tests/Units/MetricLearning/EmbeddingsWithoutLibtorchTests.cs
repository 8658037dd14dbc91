using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Who only compares embeddings needs no libtorch, and no process that made them.</summary>
[TestClass]
public sealed class EmbeddingsWithoutLibtorchTests
{
    [TestMethod]
    public void ComparingLoadsNoLibtorch()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        using var model = ml.MetricLearning.Trainers.Dense(EmbeddingSample.Options(o => o.Epochs = 1)).Fit(EmbeddingSample.View(ml, EmbeddingSample.Rows(10, 8, seed: 1)));
        var unseen = model.Transform(EmbeddingSample.View(ml, EmbeddingSample.Rows(4, 8, seed: 2, first: 50)));
        var pairs = ml.MetricLearning.CreatePairs(unseen);
        var verifier = ml.MetricLearning.Verify(falseAcceptRate: 0.1).Fit(pairs);
        ml.Model.Save(verifier, pairs.Schema, folder.File("verify.zip"));
        ml.Model.Save(ml.MetricLearning.Identify(verifier.Calibration, labelColumnName: "Name").Fit(unseen), unseen.Schema, folder.File("identify.zip"));
        ChildProcess.Run(Compare, folder.File("verify.zip"), folder.File("identify.zip"), verifier.Calibration.Threshold.ToString("R", CultureInfo.InvariantCulture)).AssertSuccess();
    }

    private static void Compare(string[] args)
    {
        var ml = new MLContext();
        using var verifier = (VerificationTransformer)ml.Model.Load(args[0], out _);
        var identifier = (IdentificationTransformer)ml.Model.Load(args[1], out _);
        Assert.AreEqual(args[2], verifier.Calibration.Threshold.ToString("R", CultureInfo.InvariantCulture));
        var pairs = ml.MetricLearning.CreatePairs(ml.Data.LoadFromEnumerable(EmbeddingSample.Rows(3, 4, seed: 1)), embeddingColumnName: "Features");
        Assert.AreEqual(18, ml.MetricLearning.EvaluatePairs(pairs, numberOfFolds: 2).NumberOfSamePairs);
        var scored = ml.MetricLearning.Verify(falseAcceptRate: 0.1).Fit(pairs).Transform(pairs);
        Assert.AreEqual(48 + 18, ml.MetricLearning.EvaluateDistances(scored, numberOfFolds: 2) is var metrics ? metrics.NumberOfSamePairs + metrics.NumberOfDifferentPairs : 0);
        identifier.Add("new", [1, 0, 0, 0]);
        Assert.AreEqual("new", identifier.Identify([1, 0, 0, 0]).Name);
        foreach (ProcessModule module in Process.GetCurrentProcess().Modules)
            Assert.DoesNotContain("torch_cpu", module.ModuleName);
    }
}
