using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Scoring;

/// <summary>An application without the package of ONNX Runtime: libtorch scores, and who asks for the other is told what is missing.</summary>
[TestClass]
public sealed class MissingOnnxRuntimeTests
{
    [TestMethod]
    public void LibtorchScores_TheOtherIsNamed()
    {
        var ml = new MLContext(1);
        var subject = Subjects.Get("MlpBinary");
        using var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        Outcome.Scores(model.Transform(subject.View(ml, 30)));
        Assert.IsEmpty(model.Model.Weights.Kept);
        var message = Assert.ThrowsExactly<InvalidOperationException>(() => model.SetScoring(new ScoringOptions { Engine = ScoringEngine.OnnxRuntime })).Message;
        Assert.Contains("the package Microsoft.ML.OnnxRuntime", message);
    }
}
