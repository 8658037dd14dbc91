using System.Globalization;
using Microsoft.ML;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Persistence;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training.FineTuning;

/// <summary>A network starts from a file of weights, of ours or of others.</summary>
[TestClass]
public sealed class InitialWeightsTests
{
    [TestMethod]
    public void NoEpochs_TheNetworkIsTheFile()
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Pretrained(folder);
        using var model = Tuning.Fit(o => (o.InitialWeightsPath, o.InitialWeightsMatch, o.Epochs, o.ValidationFraction) = (start, WeightMatch.Strict, 0, 0.2));
        foreach (var name in model.Model.WeightShapes.Keys)
            Outcome.AssertSameBits(Tuning.Read(start, name), model.Model.GetWeights(name));
        var history = model.History;
        Assert.IsEmpty(history.Epochs);
        Assert.IsNotNull(history.BeforeTraining?.ValidationLoss);
        Assert.AreEqual(StopReason.Epochs, history.StopReason);
        CollectionAssert.AreEquivalent(model.Model.WeightShapes.Keys.ToArray(), history.InitialWeights!.Loaded.ToArray());
        Assert.IsTrue(history.InitialWeights.IsComplete);
        Assert.IsEmpty(history.InitialWeights.Unexpected);
    }

    [TestMethod]
    public void NoEpochs_WithEverythingOn_TheNetworkIsTheModel()
    {
        using var folder = new TemporaryFolder();
        using var first = Tuning.Fit(o => o.Epochs = 3);
        using var second = Tuning.Fit(o =>
        {
            (o.InitialModel, o.Epochs, o.ValidationFraction, o.EmaDecay, o.Precision) = (first, 0, 0.2, 0.9, Precision.BFloat16);
            (o.EarlyStopping, o.CheckpointFolder, o.LearningRateSchedule, o.TensorBoardFolder) = (new EarlyStopping(), folder.File("checkpoints"), new CosineSchedule(), folder.File("events"));
        });
        Outcome.AssertSameBits(Outcome.Weights(first), Outcome.Weights(second));
        Assert.IsNull(second.History.InitialWeights);
    }

    [TestMethod]
    public void Report_IsSavedWithTheModel()
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Changed(Tuning.Pretrained(folder), tensors => tensors.Add("extra", zeros(2)));
        using var model = Tuning.Fit(o => (o.InitialWeightsPath, o.InitialWeightsMatch) = (start, WeightMatch.Partial));
        var ml = new MLContext(1);
        ml.Model.Save(model, Example.View(ml, Example.Create(3)).Schema, folder.File("model.zip"));
        using var loaded = (MulticlassNetworkTransformer)ml.Model.Load(folder.File("model.zip"), out _);
        Assert.AreEqual("extra", loaded.History.InitialWeights!.Unexpected.Single());
        Assert.AreEqual(model.History, loaded.History);
        Assert.AreNotEqual(model.History, model.History with { InitialWeights = null });
    }

    [TestMethod]
    public void OtherClasses_OnlyTheOutputStartsAnew()
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Changed(Tuning.Pretrained(folder), tensors => (tensors["output.weight"], tensors["output.bias"]) = (ones(7, 4), ones(7)));
        using var model = Tuning.Fit(o => (o.InitialWeightsPath, o.LearningRate) = (start, 1e-12));
        using var fresh = Tuning.Fit(o => o.LearningRate = 1e-12);
        Outcome.AssertClose(fresh.Model.GetWeights("output.weight"), model.Model.GetWeights("output.weight"), 1e-9);
        Outcome.AssertClose(Tuning.Read(start, "hidden.0.linear.weight"), model.Model.GetWeights("hidden.0.linear.weight"), 1e-9);
        var report = model.History.InitialWeights!;
        Assert.HasCount(2, report.OtherShape);
        Assert.Contains("output.weight (F32[7,4] given, but the network has F32[3,4])", report.OtherShape);
        Assert.HasCount(model.Model.WeightShapes.Count - 2, report.Loaded);
        AssertRefused(start, WeightMatch.Strict, "output.bias (F32[7] given");
        var error = Assert.Throws<ArgumentException>(() => Tuning.Fit(o => (o.InitialWeightsPath, o.Epochs) = (start, 0)));
        Assert.Contains("Epochs is 0", error.Message);
        Assert.Contains("output.weight", error.Message);
    }

    [TestMethod]
    public void OtherwiseDifferent_IsRefusedUnlessPartial()
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Pretrained(folder);
        AssertPartial("missing: hidden.1.linear.bias;", tensors => tensors.Remove("hidden.1.linear.bias"));
        AssertPartial("missing: output.weight, output.bias;", tensors => _ = tensors.Remove("output.weight") & tensors.Remove("output.bias"));
        AssertPartial("unexpected: extra;", tensors => tensors.Add("extra", zeros(1)));
        AssertPartial("hidden.0.linear.weight (F32[5,7] given, but the network has F32[5,6])", tensors => tensors["hidden.0.linear.weight"] = zeros(5, 7));
        AssertPartial("hidden.1.linear.bias (F32[9] given", tensors => tensors["hidden.1.linear.bias"] = zeros(9));
        AssertPartial("output.weight (F32[3,5] given, but the network has F32[3,4])", tensors => tensors["output.weight"] = zeros(3, 5));
        AssertPartial("output.weight (I8[3,4] given", tensors => tensors["output.weight"] = zeros(3, 4, ScalarType.Int8));

        void AssertPartial(string message, Action<Dictionary<string, Tensor>> change)
        {
            var changed = Tuning.Changed(start, change);
            AssertRefused(changed, WeightMatch.Strict, message);
            AssertRefused(changed, WeightMatch.ExceptOutput, message);
            using var model = Tuning.Fit(o => (o.InitialWeightsPath, o.InitialWeightsMatch, o.LearningRate) = (changed, WeightMatch.Partial, 1e-12));
            Outcome.AssertClose(Tuning.Read(start, "hidden.1.linear.weight"), model.Model.GetWeights("hidden.1.linear.weight"), 1e-9);
            Assert.IsLessThan(model.Model.WeightShapes.Count + 1, model.History.InitialWeights!.Loaded.Count);
        }
    }

    [TestMethod]
    public void BatchCountersMayBeMissing()
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Changed(Tuning.Pretrained(folder), tensors => tensors.Remove("hidden.0.norm.num_batches_tracked"));
        using var model = Tuning.Fit(o => (o.InitialWeightsPath, o.InitialWeightsMatch, o.Epochs) = (start, WeightMatch.Strict, 0));
        Assert.AreEqual(0f, model.Model.GetWeights("hidden.0.norm.num_batches_tracked")[0]);
        Assert.AreEqual(18f, model.Model.GetWeights("hidden.1.norm.num_batches_tracked")[0]);
        Assert.IsTrue(model.History.InitialWeights!.IsComplete);
    }

    [TestMethod]
    public void AnotherNetworkAltogether_ListsTen()
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Changed(Tuning.Pretrained(folder), tensors =>
        {
            tensors.Clear();
            for (var i = 0; i < 12; i++)
                tensors.Add($"other.{i}", zeros(1));
        });
        AssertRefused(start, WeightMatch.ExceptOutput, "other.7 and 2 more");
        AssertRefused(start, WeightMatch.Partial, "as InitialWeightsMatch = Partial requires");
    }

    [TestMethod]
    [DataRow(ScalarType.Float16)]
    [DataRow(ScalarType.BFloat16)]
    [DataRow(ScalarType.Float64)]
    public void OtherPrecisions_BecomeFloat32(ScalarType type)
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Changed(Tuning.Pretrained(folder), tensors =>
        {
            foreach (var (name, value) in tensors.Where(entry => entry.Value.is_floating_point()).ToList())
                tensors[name] = value.to(type);
        });
        using var model = Tuning.Fit(o => (o.InitialWeightsPath, o.Epochs) = (start, 0));
        foreach (var name in model.Model.WeightShapes.Keys)
            Outcome.AssertSameBits(Tuning.Read(start, name), model.Model.GetWeights(name));
    }

    /// <summary>A float16 file without checksums, byte by byte, as other programs write them.</summary>
    [TestMethod]
    public void FileOfAnotherProgram_IsRead()
    {
        using var folder = new TemporaryFolder();
        Half[] values = [(Half)0.5, (Half)(-2), (Half)0.25];
        var file = SafeTensorsSample.Foreign(
            """{"__metadata__":{"format":"pt"},"output.weight":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"output.bias":{"dtype":"F16","shape":[1],"data_offsets":[4,6]}}""",
            values.SelectMany(BitConverter.GetBytes).ToArray());
        File.WriteAllBytes(folder.File("foreign.safetensors"), file);
        var ml = new MLContext(1);
        var data = Example.View(ml, new[] { new Example { Flag = true }.With(1, 1), new Example().With(3, 0.5f) });
        using var model = ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options
        {
            LabelColumnName = nameof(Example.Flag),
            HiddenLayers = [],
            Epochs = 0,
            InitialWeightsPath = folder.File("foreign.safetensors"),
            InitialWeightsMatch = WeightMatch.Strict,
        }).Fit(data);
        Outcome.AssertSameBits([0.5f - 2 + 0.25f, 1.5f - 1 + 0.25f], Outcome.Scores(model.Transform(data)));
    }

    [TestMethod]
    public void DamagedFile_IsRefusedByName()
    {
        using var folder = new TemporaryFolder();
        var start = Tuning.Pretrained(folder);
        var bytes = File.ReadAllBytes(start);
        var damaged = folder.File("damaged.safetensors");
        File.WriteAllBytes(damaged, bytes[..^1]);
        AssertDamaged(damaged);
        File.WriteAllBytes(damaged, "No safetensors file."u8.ToArray());
        AssertDamaged(damaged);
        bytes[^1] ^= 1;
        File.WriteAllBytes(damaged, bytes);
        AssertDamaged(damaged, "checksum");
        AssertDamaged(Tuning.Changed(start, tensors => tensors["output.bias"][1] = float.NaN), "tensor 'output.bias' contains a number that is NaN");
        AssertDamaged(Tuning.Changed(start, tensors => tensors["output.bias"] = full(3, 1e300, ScalarType.Float64)), "too large for float32");
        Assert.Contains("nowhere.safetensors", Assert.Throws<FileNotFoundException>(() => Tuning.Fit(o => o.InitialWeightsPath = folder.File("nowhere.safetensors"))).Message);

        static void AssertDamaged(string path, string message = "")
        {
            var error = Assert.Throws<ModelFormatException>(() => Tuning.Fit(o => o.InitialWeightsPath = path));
            Assert.StartsWith(path, error.Message);
            Assert.Contains(message, error.Message);
        }
    }

    [TestMethod]
    public void BadOptions_AreRefused()
    {
        using var model = Tuning.Fit();
        Assert.Contains("one of them", Assert.Throws<ArgumentException>(() => Tuning.Fit(o => (o.InitialWeightsPath, o.InitialModel) = ("a", model))).Message);
        Assert.Contains("InitialWeightsPath is empty", Assert.Throws<ArgumentException>(() => Tuning.Fit(o => o.InitialWeightsPath = " ")).Message);
        Assert.Contains("InitialWeightsMatch is 9", Assert.Throws<ArgumentException>(() => Tuning.Fit(o => o.InitialWeightsMatch = (WeightMatch)9)).Message);
        Assert.Contains("or 0 with InitialModel or InitialWeights", Assert.Throws<ArgumentException>(() => Tuning.Fit(o => o.Epochs = 0)).Message);
        Assert.Contains("Epochs is -1", Assert.Throws<ArgumentException>(() => Tuning.Fit(o => (o.Epochs, o.InitialModel) = (-1, model))).Message);
    }

    /// <summary>A model's output layer is replaced as a file's is.</summary>
    [TestMethod]
    public void InitialModelOfOtherOutputs_OnlyTheOutputStartsAnew()
    {
        var ml = new MLContext(1);
        using var binary = ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options { LabelColumnName = nameof(Example.Flag), HiddenLayers = [5, 4], BatchNormalization = true, Epochs = 1 })
            .Fit(Example.View(ml, Example.Create(50)));
        using var model = Tuning.Fit(o => (o.InitialModel, o.LearningRate) = (binary, 1e-12));
        Outcome.AssertClose(binary.Model.GetWeights("hidden.0.linear.weight"), model.Model.GetWeights("hidden.0.linear.weight"), 1e-9);
        Assert.Contains("InitialModel has no matching weights for output.weight", Assert.Throws<ArgumentException>(() => Tuning.Fit(o => (o.InitialModel, o.Epochs) = (binary, 0))).Message);
        using var regression = ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { LabelColumnName = nameof(Example.Target), HiddenLayers = [5, 4], BatchNormalization = true, Epochs = 0, InitialModel = binary })
            .Fit(Example.View(ml, Example.Create(50)));
        Outcome.AssertSameBits(Outcome.Weights(binary), Outcome.Weights(regression));
    }

    private static void AssertRefused(string path, WeightMatch match, string message)
    {
        var error = Assert.Throws<ArgumentException>(() => Tuning.Fit(o => (o.InitialWeightsPath, o.InitialWeightsMatch) = (path, match)));
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"InitialWeightsPath '{path}'"), error.Message);
        Assert.Contains(message, error.Message);
    }
}
