using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Scoring.OnnxRuntime;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Onnx;

/// <summary>What computes a network can be chosen, and makes no difference but in speed.</summary>
[TestClass]
public sealed class ScoringEngineTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly ScoringOptions Torch = new() { Engine = ScoringEngine.LibTorch };
    private static readonly ScoringOptions Runtime = new() { Engine = ScoringEngine.OnnxRuntime };

    /// <summary>What libtorch alone can compute.</summary>
    private static readonly string[] TorchOnly = ["LanguageModel", "LanguageModelRows", "SequenceToSequence", "Quatrains", "QuatrainLines", "AdaptiveStyle", "FastStyle", "Inpainting", "DiscriminatorFeatures"];

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void BothEngines_SameNumbers(string name)
    {
        var subject = Subjects.Training(name);
        using var model = subject.Fit(subject.Rows(40), options => options.Epochs = 1);
        var data = subject.View(Ml, 1100, seed: 5);
        if (TorchOnly.Contains(name))
        {
            Assert.ThrowsExactly<NotSupportedException>(() =>
            {
                model.Transformer.SetScoring(Runtime);
                subject.Values(model.Transform(data));
            });
            return;
        }
        model.Transformer.SetScoring(Torch);
        var torch = subject.Values(model.Transform(data));
        Assert.IsEmpty(model.Networks.SelectMany(network => network.Weights.Kept));
        model.Transformer.SetScoring(Runtime);
        Exported.AssertClose(torch, subject.Values(model.Transform(data)));
        Assert.IsNotEmpty(model.Networks.SelectMany(network => network.Weights.Kept));
        model.Transformer.SetScoring(Runtime with { ThreadCount = 2 });
        Exported.AssertClose(torch, subject.Values(model.Transform(data)));
    }

    /// <summary>Where the package is, it is used, and a saved model does not become a module of libtorch.</summary>
    [TestMethod]
    public void LoadedModel_ScoresWithoutLibtorch_AndTrainsOn()
    {
        var subject = Subjects.Get("CnnMulticlass");
        using var folder = new TemporaryFolder();
        var path = folder.File("model.zip");
        float[] weights, expected;
        var data = subject.View(Ml, 50);
        using (var model = subject.Fit(subject.Rows(50), options => options.Epochs = 1))
        {
            (weights, expected) = (Outcome.Weights(model), Outcome.Scores(model.Transform(data)));
            Ml.Model.Save(model, data.Schema, path);
        }
        using var loaded = (MulticlassNetworkTransformer)new MLContext().Model.Load(path, out _);
        Exported.AssertClose(expected, Outcome.Scores(loaded.Transform(data)));
        Outcome.AssertSameBits(weights, Outcome.Weights(loaded));
        Assert.IsFalse(loaded.Model.Weights.IsModule);
        using var more = subject.Fit(subject.Rows(50), options => (options.InitialModel, options.Epochs) = (loaded, 0));
        Assert.IsTrue(loaded.Model.Weights.IsModule);
        Outcome.AssertSameBits(weights, Outcome.Weights(more));
        var again = folder.File("again.zip");
        Ml.Model.Save(loaded, data.Schema, again);
        using var reloaded = (MulticlassNetworkTransformer)new MLContext().Model.Load(again, out _);
        Outcome.AssertSameBits(weights, Outcome.Weights(reloaded));
    }

    [TestMethod]
    [DataRow("MlpMulticlass")]
    [DataRow("CnnMulticlass")]
    [DataRow("LstmMulticlass")]
    public void EightThreads_EqualToOne(string name)
    {
        const int Count = 5000;
        var subject = Subjects.Get(name);
        using var model = subject.Fit(subject.Rows(40), options => options.Epochs = 1);
        var rows = subject.Rows(100, seed: 6);
        var expected = subject.PredictRows(Ml, model, rows);
        var width = expected.Length / rows.Length;
        var wrong = 0;
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
        {
            var many = Enumerable.Range(0, Count).Select(i => rows[(i + thread) % rows.Length]);
            var seen = subject.PredictRows(new MLContext(1), model, many);
            for (var i = 0; i < Count; i++)
            {
                if (!Outcome.SameBits(expected.AsSpan((i + thread) % rows.Length * width, width), seen.AsSpan(i * width, width)))
                    Interlocked.Increment(ref wrong);
            }
        });
        Assert.AreEqual(0, wrong);
    }

    [TestMethod]
    public void BadOptions_AreNamed()
    {
        var subject = Subjects.Get("MlpBinary");
        using var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        Assert.Contains("ThreadCount is 0", Assert.Throws<ArgumentException>(() => model.SetScoring(new() { ThreadCount = 0 })).Message);
        Assert.Contains("Device is 'gpu'", Assert.Throws<ArgumentException>(() => model.SetScoring(new() { Device = "gpu" })).Message);
        Assert.Contains("Device is 'cuda:x'", Assert.Throws<ArgumentException>(() => model.SetScoring(new() { Device = "cuda:x" })).Message);
        Assert.Contains("libtorch scores on the CPU", Assert.Throws<ArgumentException>(() => model.SetScoring(new() { Device = "cuda", Engine = ScoringEngine.LibTorch })).Message);
        Assert.Contains("Engine is 9", Assert.Throws<ArgumentException>(() => model.SetScoring(new() { Engine = (ScoringEngine)9 })).Message);
        var copy = Ml.Transforms.CopyColumns("A", "Features").Fit(subject.View(Ml, 5));
        Assert.Contains("no network of this library", Assert.Throws<ArgumentException>(() => copy.SetScoring(Torch)).Message);
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.SetScoring(Torch));
    }

    [TestMethod]
    public void Switch_TurnsItOff() => ChildProcess.Run(ScoreSwitchedOff, []).AssertSuccess();

    private static void ScoreSwitchedOff(string[] args)
    {
        AppContext.SetSwitch("MLExtensions.NoOnnxRuntime", true);
        var subject = Subjects.Get("MlpBinary");
        using var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        Outcome.Scores(model.Transform(subject.View(Ml, 30)));
        Assert.IsEmpty(model.Model.Weights.Kept);
        model.SetScoring(Runtime); // what is asked for counts more
        Outcome.Scores(model.Transform(subject.View(Ml, 30)));
        Assert.IsNotEmpty(model.Model.Weights.Kept);
    }

    /// <summary>ONNX Runtime would keep an identity and a database of events below the home folder.</summary>
    [TestMethod]
    public void NothingIsReported()
    {
        using var home = new TemporaryFolder();
        var environment = new Dictionary<string, string?> { ["HOME"] = home.Path, ["XDG_CACHE_HOME"] = null, ["XDG_DATA_HOME"] = null, ["XDG_CONFIG_HOME"] = null, ["ORT_DISABLE_TELEMETRY"] = null };
        ChildProcess.Run(ScoreOnce, [], environment).AssertSuccess();
        Assert.IsEmpty(Directory.EnumerateFiles(home.Path, "*", SearchOption.AllDirectories).Where(file => file.Contains("Microsoft", StringComparison.OrdinalIgnoreCase) || file.Contains("onnx", StringComparison.OrdinalIgnoreCase)));
    }

    private static void ScoreOnce(string[] args)
    {
        var subject = Subjects.Get("MlpBinary");
        using var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        Outcome.Scores(model.Transform(subject.View(Ml, 30)));
        Assert.IsTrue(OnnxRuntimeLibrary.IsPresent);
        Assert.IsNotEmpty(model.Model.Weights.Kept);
    }
}
