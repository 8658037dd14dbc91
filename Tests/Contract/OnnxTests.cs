using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>There is no export to ONNX yet: ML.NET must not write a file without the network.</summary>
[TestClass]
public sealed class OnnxTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void ConvertToOnnx_NamesTheStep(string name)
    {
        var subject = Subjects.Training(name);
        var data = subject.View(Ml, 30);
        using var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        var before = Ml.Transforms.CopyColumns("Copy", nameof(Example.Target)).Fit(data).Append(model.Transformer);
        var after = before.Append(Ml.Transforms.CopyColumns("Copy", subject.ValueColumns[0]).Fit(before.Transform(data)));
        foreach (var transformer in (ITransformer[])[model.Transformer, before, after])
        {
            using var file = new MemoryStream();
            var exception = Assert.ThrowsExactly<NotSupportedException>(() => Ml.Model.ConvertToOnnx(transformer, data, file));
            Assert.Contains(model.Transformer.GetType().Name, exception.Message);
            Assert.Contains("ml.Model.Save(", exception.Message);
            Assert.AreEqual(0, file.Length);
        }
    }

    /// <summary>ML.NET's trainers that are built of our networks cannot be exported either.</summary>
    [TestMethod]
    public void ConvertToOnnx_PairwiseCoupling_Throws()
    {
        var subject = Subjects.Get("MlpBinary");
        var data = subject.View(Ml, 60);
        var trainer = (MlpBinaryTrainer)subject.CreateTrainer(Ml, subject.Options(options => options.Epochs = 1));
        var model = Ml.MulticlassClassification.Trainers.PairwiseCoupling(trainer, nameof(Example.Class)).Fit(data);
        using var file = new MemoryStream();
        Assert.Throws<Exception>(() => Ml.Model.ConvertToOnnx(model, data, file));
        Assert.AreEqual(0, file.Length);
    }
}
