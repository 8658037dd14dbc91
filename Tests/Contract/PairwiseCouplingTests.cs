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
}
