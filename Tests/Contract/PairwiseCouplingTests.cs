using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>ML.NET's own trainers that are made of other trainers take ours.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class PairwiseCouplingTests
{
    [TestMethod]
    [TestCategory("Floor")]
    public void BinaryTrainer_InPairs_LearnsSeveralClasses()
    {
        var subject = Subjects.Get("MlpBinary");
        var ml = new MLContext(1);
        var options = (MlpBinaryTrainer.Options)subject.Options(o => o.LabelColumnName = nameof(Example.Class));
        var binary = ml.BinaryClassification.Trainers.Mlp(options);
        var trainer = ml.MulticlassClassification.Trainers.PairwiseCoupling(binary, nameof(Example.Class));
        var model = trainer.Fit(subject.View(ml, 400));
        var scored = model.Transform(subject.View(ml, 300, seed: 2));
        Floor.Above(0.8, ml.MulticlassClassification.Evaluate(scored, nameof(Example.Class)).MicroAccuracy);
        using var folder = new TemporaryFolder();
        ml.Model.Save(model, subject.View(ml, 1).Schema, folder.File("model.zip"));
        var loaded = new MLContext().Model.Load(folder.File("model.zip"), out _);
        Outcome.AssertSameComputation(Outcome.Scores(scored), Outcome.Scores(loaded.Transform(subject.View(ml, 300, seed: 2))));
    }

    [TestMethod]
    public void Networks_OfPairs_AreFound()
    {
        var subject = Subjects.Get("MlpBinary");
        var ml = new MLContext(1);
        var options = (MlpBinaryTrainer.Options)subject.Options(o => (o.LabelColumnName, o.Epochs) = (nameof(Example.Class), 1));
        var data = subject.View(ml, 60);
        ITransformer model = ml.Transforms.CopyColumns("Copy", nameof(Example.Weight))
            .Append(ml.MulticlassClassification.Trainers.PairwiseCoupling(ml.BinaryClassification.Trainers.Mlp(options), nameof(Example.Class))).Fit(data);
        using var folder = new TemporaryFolder();
        ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        var loaded = new MLContext().Model.Load(folder.File("model.zip"), out _);
        foreach (var found in new[] { model, loaded })
        {
            Assert.HasCount(6, found.Networks().Distinct(), "three classes, and each pair of them");
            Assert.Contains("network 6 of 6", found.Summary());
            Assert.Contains("6 networks, in MulticlassPredictionTransformer. Use Networks()", Assert.ThrowsExactly<ArgumentException>(() => found.Network()).Message);
            Assert.Contains("Networks() gives", Assert.ThrowsExactly<ArgumentException>(() => found.FindNetwork<BinaryNetworkTransformer>()).Message);
        }
        // OneVersusAll takes only ML.NET's own trainers.
        var theirs = ml.MulticlassClassification.Trainers.OneVersusAll(ml.BinaryClassification.Trainers.LbfgsLogisticRegression(nameof(Example.Class)), nameof(Example.Class)).Fit(data);
        Assert.Contains("no network of this library; it has MulticlassPredictionTransformer", Assert.ThrowsExactly<ArgumentException>(() => theirs.Network()).Message);
    }
}
