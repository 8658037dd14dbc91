using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Engine;

/// <summary>A checkpoint that is damaged or of another training is refused, by name.</summary>
[TestClass]
public sealed class CheckpointDamageTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Truncated_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var (file, bytes) = Write(folder);
        foreach (var length in new[] { 0, 5, 100, bytes.Length / 2, bytes.Length - 1 })
        {
            File.WriteAllBytes(file, bytes[..length]);
            AssertRefused(folder, $"{length} bytes");
        }
    }

    [TestMethod]
    public void FlippedBit_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var (file, bytes) = Write(folder);
        for (var i = 0; i < 60; i++)
        {
            var damaged = (byte[])bytes.Clone();
            var at = (int)((long)i * (bytes.Length - 1) / 59);
            damaged[at] ^= (byte)(1 << (i % 8));
            File.WriteAllBytes(file, damaged);
            AssertRefused(folder, $"bit {i % 8} of byte {at}");
        }
    }

    [TestMethod]
    public void OfOtherOptions_IsRefusedByName()
    {
        using var folder = new TemporaryFolder();
        Write(folder);
        (string Name, Action<MlpMulticlassTrainer.Options> Set)[] changes =
        [
            ("HiddenLayers", o => o.HiddenLayers = [5]),
            ("Seed", o => o.Seed = 2),
            ("BatchSize", o => o.BatchSize = 11),
            ("LearningRate", o => o.LearningRate = 0.5),
            ("Optimizer", o => o.Optimizer = new AdamOptimizer { Beta1 = 0.8 }),
            ("LearningRateSchedule", o => o.LearningRateSchedule = new CosineSchedule()),
            ("L2Regularization", o => o.L2Regularization = 0.1),
            ("L1Regularization", o => o.L1Regularization = 0.1),
            ("WeightDecay", o => o.WeightDecay = 0.1),
            ("GradientClipNorm", o => o.GradientClipNorm = 1),
            ("ValidationFraction", o => o.ValidationFraction = 0.3),
            ("EarlyStopping", o => o.EarlyStopping = new EarlyStopping()),
            ("EmaDecay", o => o.EmaDecay = 0.5),
            ("ClassWeights", o => o.ClassWeights = ClassWeights.Balanced),
            ("Precision", o => o.Precision = Precision.BFloat16),
            ("Buffering", o => o.Buffering = Buffering.Streaming),
        ];
        foreach (var (name, set) in changes)
        {
            var error = Assert.Throws<InvalidOperationException>(() => Fit(folder, resume: true, set), name);
            Assert.Contains($"made with {name} ", error.Message);
        }
        var rows = Assert.Throws<InvalidOperationException>(() => Fit(folder, resume: true, rows: 55));
        Assert.Contains("training data 50 rows", rows.Message);
    }

    [TestMethod]
    public void WithoutResume_AnOldCheckpointIsReplaced()
    {
        using var folder = new TemporaryFolder();
        var (file, bytes) = Write(folder);
        File.WriteAllBytes(file, bytes[..10]);
        Fit(folder, resume: false);
        Assert.HasCount(3, Fit(folder, resume: true).History.Epochs);
    }

    private static (string File, byte[] Bytes) Write(TemporaryFolder folder)
    {
        Fit(folder, resume: false);
        var file = Directory.GetFiles(folder.Path).Single();
        return (file, File.ReadAllBytes(file));
    }

    private static void AssertRefused(TemporaryFolder folder, string damage)
    {
        var error = Assert.Throws<ModelFormatException>(() => Fit(folder, resume: true), damage);
        Assert.Contains("checkpoint.safetensors", error.Message, damage);
    }

    private static MulticlassNetworkTransformer Fit(TemporaryFolder folder, bool resume, Action<MlpMulticlassTrainer.Options>? change = null, int rows = 50)
    {
        var options = new MlpMulticlassTrainer.Options
        {
            LabelColumnName = nameof(Example.Class),
            HiddenLayers = [4],
            Epochs = 3,
            BatchSize = 10,
            Seed = 1,
            ValidationFraction = 0.2,
            CheckpointFolder = folder.Path,
            ResumeFromCheckpoint = resume,
        };
        change?.Invoke(options);
        return Ml.MulticlassClassification.Trainers.Mlp(options).Fit(Example.View(Ml, Example.Create(rows)));
    }
}
