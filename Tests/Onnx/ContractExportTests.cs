using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Onnx;

/// <summary>Everything that is under contract is exported to ONNX and computes the same there, or says why it cannot be.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class ContractExportTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>What cannot be exported, and what the message says of it.</summary>
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["LanguageModel"] = "tokenizer",
        ["LanguageModelRows"] = "tokenizer",
        ["SequenceToSequence"] = "tokenizer",
        ["Quatrains"] = "character after character",
        ["QuatrainLines"] = "character after character",
        ["AdaptiveStyle"] = "any size",
        ["Inpainting"] = "gradients",
        ["DiscriminatorFeatures"] = "pools",
    };

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void Chain_SameInOnnxRuntime(string name)
    {
        var subject = Subjects.Training(name);
        var data = subject.View(Ml, 30);
        using var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        var before = Ml.Transforms.CopyColumns("Copy", nameof(Example.Target)).Fit(data).Append(model.Transformer);
        var chain = before.Append(Ml.Transforms.CopyColumns("Second", subject.ValueColumns[0]).Fit(before.Transform(data)));
        if (Refused.TryGetValue(name, out var why))
        {
            foreach (var transformer in (ITransformer[])[model.Transformer, before, chain])
            {
                using var file = new MemoryStream();
                var exception = Assert.ThrowsExactly<NotSupportedException>(() => Ml.Model.ConvertToOnnx(transformer, data, file));
                Assert.Contains($"The step {model.Transformer.GetType().Name} ", exception.Message);
                Assert.Contains(why, exception.Message);
                Assert.Contains("ml.Model.Save(", exception.Message);
                Assert.AreEqual(0, file.Length);
            }
            return;
        }
        // Pictures of 5 x 5 pixels are 2 x 2 inside, and the normalization of four values can make roundings 300 times larger.
        var tolerance = name == "FastStyle" ? 1e-4 : 1e-5;
        Exported.AssertSame(Ml, chain, data, [.. subject.OutputColumns, "Second"], subject.MapsRows, tolerance);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkTransformerNames), typeof(Subjects))]
    public void ExportedTwice_SameBytes_ModelUnharmed(string name)
    {
        if (Refused.ContainsKey(name))
            return;
        var subject = Subjects.Training(name);
        var data = subject.View(Ml, 30);
        using var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        var before = subject.Values(model.Transform(data));
        using var first = new OnnxFile(Ml, model.Transformer, data);
        using var second = new OnnxFile(Ml, model.Transformer, data);
        CollectionAssert.AreEqual(first.Bytes, second.Bytes);
        Outcome.AssertSameBits(before, subject.Values(model.Transform(data)));
    }

    [TestMethod]
    public void DisposedModel_Throws()
    {
        var subject = Subjects.Get("MlpBinary");
        var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        model.Dispose();
        using var file = new MemoryStream();
        Assert.Throws<ObjectDisposedException>(() => Ml.Model.ConvertToOnnx(model, subject.View(Ml, 30), file));
    }

    /// <summary>ML.NET's trainer that is built of our networks cannot be exported, and must not leave half a file.</summary>
    [TestMethod]
    public void PairwiseCoupling_Throws()
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
