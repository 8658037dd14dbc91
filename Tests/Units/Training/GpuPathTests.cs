using MLExtensions.Engine;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Networks;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Data;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training;

/// <summary>What training does on a GPU, up to the GPU itself: the same code on the CPU. `eng/gpu-check` does it on a GPU.</summary>
[TestClass]
public sealed class GpuPathTests
{
    [TestMethod]
    [DataRow("auto", null, 0, null)]
    [DataRow("auto", 3, 0, null)]
    [DataRow("cpu", 3, 4, null)]
    [DataRow("auto", null, 4, 0)]
    [DataRow("cuda", null, 4, 0)]
    [DataRow("cuda", 3, 4, 3)]
    [DataRow("auto", 3, 4, 3)]
    [DataRow("cuda", 3, 2, 1)] // more ranks than GPUs
    [DataRow("cuda", 3, 1, 0)] // each rank sees only its own
    [DataRow("cuda:2", 3, 4, 2)]
    [DataRow("cuda:2", null, 4, 2)]
    public void Gpu_OfARank(string option, int? localRank, int count, int? expected) => Assert.AreEqual(expected, TrainingDevice.IndexOf(option, localRank, count));

    [TestMethod]
    [DataRow("cuda", 0, "'cuda', but this process sees 0 CUDA devices")]
    [DataRow("cuda:2", 2, "'cuda:2', but this process sees 2 CUDA devices")]
    public void GpuThatIsNot_IsRefused(string option, int count, string message) =>
        Assert.Contains(message, Assert.ThrowsExactly<InvalidOperationException>(() => TrainingDevice.IndexOf(option, 1, count)).Message);

    /// <summary>The setting belongs to the program.</summary>
    [TestMethod]
    public void TensorFloat32_OnlyWhileATrainingLasts()
    {
        var before = ProductPrecision.Setting;
        using (new ProductPrecision(rounds: true))
        {
            Assert.AreEqual((true, true), ProductPrecision.Setting);
            using (new ProductPrecision(rounds: false))
                Assert.AreEqual((false, false), ProductPrecision.Setting);
        }
        Assert.AreEqual(before, ProductPrecision.Setting);
        Assert.IsNull(ProductPrecision.Enter(Precision.TensorFloat32, CPU));
    }

    [TestMethod]
    public void TensorFloat32_OnTheCpu_IsFloat32WithAWarning()
    {
        var subject = Subjects.Training("MlpMulticlass");
        using var full = subject.Fit(subject.Rows(100), o => o.Epochs = 2);
        using var rounded = subject.Fit(subject.Rows(100), o => (o.Epochs, o.Precision, o.Device) = (2, Precision.TensorFloat32, "cpu"));
        Outcome.AssertSameBits(Outcome.Weights(full), Outcome.Weights(rounded));
        var history = rounded.Histories.Single();
        Assert.AreEqual("tensorfloat32", history.Precision);
        Assert.Contains("Precision is TensorFloat32, which only GPUs compute with", string.Join('\n', history.Warnings));
    }

    [TestMethod]
    public void LossReadLast_SameStep()
    {
        var (first, firstLoss) = Descend(readsLossLast: false);
        var (last, lastLoss) = Descend(readsLossLast: true);
        Assert.AreEqual(firstLoss, lastLoss);
        Outcome.AssertSameBits(first, last);
    }

    [TestMethod]
    public void LossReadLast_ThatIsNoNumber_IsReturned() => Assert.IsTrue(double.IsNaN(Descend(readsLossLast: true, input: float.NaN).Loss));

    [TestMethod]
    [DataRow(null)]
    [DataRow(5)]
    public void LossOfALanguageModelReadLast_SameStep(int? samples)
    {
        var (first, firstLoss) = Read(readsLossLast: false);
        var (last, lastLoss) = Read(readsLossLast: true);
        Assert.AreEqual(firstLoss, lastLoss);
        Outcome.AssertSameBits(first, last);

        (float[] Weights, double Loss) Read(bool readsLossLast)
        {
            using var scope = NewDisposeScope();
            var options = new LanguageModelEstimator.Options { HiddenUnits = 4, NumberOfLayers = 1, Dropout = 0, NumberOfSampledTokens = samples };
            var architecture = new LanguageModelArchitecture { InputCount = 1, OutputCount = 9, Tokenizer = new CharacterTokenizer { Vocabulary = ["\n", .. "abcdefgh".Select(letter => letter.ToString())] }, Recurrent = new RecurrentLayers(RecurrentCell.Lstm, 4, 1), EmbeddingSize = 4 };
            var module = architecture.CreateModule();
            WeightInitializer.Initialize(module, WeightInitialization.XavierUniform, 1);
            using var step = new LanguageModelStep(new TrainedNetwork("network", architecture, module, options.Optimization, seed: 1, CPU) { ReadsLossLast = readsLossLast }, options, seed: 1);
            step.BeginEpoch(1);
            var tokens = arange(8, dtype: ScalarType.Int64, device: CPU);
            using var batch = new TokenBatch(8, 0, tokens.view(8, 1), tokens.add(1));
            var loss = 0.0;
            for (var i = 0; i < 3; i++)
                loss = step.Train(batch, 0.1, new MetricSums());
            return (step.Networks[0].Parameters.Weights.data<float>().ToArray(), loss);
        }
    }

    [TestMethod]
    [DataRow(0.5, 1)]
    [DataRow(0.5, 0.25)]
    [DataRow(1e6, 1)]
    public void Clipped_OnADeviceAsInHostMemory(double limit, double scale)
    {
        using var host = new FlatProblem(new AdamOptimizer(), 1003);
        using var device = new FlatProblem(new AdamOptimizer(), 1003, tensorOperations: true);
        for (var step = 0; step < 3; step++)
        {
            foreach (var problem in new[] { host, device })
            {
                problem.FillGradients();
                problem.Optimizer.Step(0.01, scale * problem.Optimizer.ClipFactor(limit, scale));
            }
        }
        Outcome.AssertClose(host.Parameters.data<float>().ToArray(), device.Parameters.data<float>().ToArray(), 1e-6);
    }

    [TestMethod]
    public void RowsKeptOnTheDevice_SameBatches()
    {
        var data = Example.View(TrainingDataSample.Ml, TrainingDataSample.Numbered(103), 2);
        using var rows = TrainingRows.Read(data, TrainingDataSample.Columns(data), null, () => { }, out _);
        var indices = Enumerable.Range(0, 103).Where(row => row % 4 != 0).ToArray();
        int[][] Epoch(bool kept) => TrainingDataSample.Epoch(new InMemoryBatches<LabeledBatch>(rows, indices, TrainingDataSample.Settings(10) with { KeepsFeaturesOnDevice = kept }, TrainingDataSample.Labeled(), null), 2);
        var (copied, picked) = (Epoch(kept: false), Epoch(kept: true)); // Epoch compares features with labels
        Assert.HasCount(copied.Length, picked);
        for (var batch = 0; batch < copied.Length; batch++)
            CollectionAssert.AreEqual(copied[batch], picked[batch]);
    }

    [TestMethod]
    public void RowsThatDoNotFit_AreNotKept()
    {
        var data = Example.View(TrainingDataSample.Ml, TrainingDataSample.Numbered(10), 2);
        using var rows = TrainingRows.Read(data, TrainingDataSample.Columns(data), null, () => { }, out _);
        using var some = new DeviceFeatures(rows.Features, CPU, limit: 80);
        using var none = new DeviceFeatures(rows.Features, CPU, limit: 79);
        Assert.AreEqual((true, false), (some.Fits, none.Fits));
    }

    private static (float[] Weights, double Loss) Descend(bool readsLossLast, float input = 1)
    {
        using var scope = NewDisposeScope();
        var architecture = new MlpArchitecture { InputCount = 2, OutputCount = 1, HiddenLayers = [] };
        var module = architecture.CreateModule();
        WeightInitializer.Initialize(module, WeightInitialization.XavierUniform, 1);
        using var network = new TrainedNetwork("network", architecture, module, new OptimizationSettings { Optimizer = new AdamOptimizer(), ClipNorm = 0.1 }, seed: 1, CPU) { ReadsLossLast = readsLossLast };
        var loss = 0.0;
        for (var step = 0; step < 3; step++)
            loss = network.Descend(network.Forward(full([4, 2], input, ScalarType.Float32, CPU)).square().mean(), 0.1);
        return (network.Parameters.Weights.data<float>().ToArray(), loss);
    }
}
