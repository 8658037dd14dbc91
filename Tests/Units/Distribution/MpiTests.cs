using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions.Tests.Distribution;

/// <summary>Several processes of Open MPI. Without mpirun these tests are skipped.</summary>
[TestClass]
public sealed class MpiTests
{
    private const int Width = 5;
    private const int Rows = 256;

    [TestMethod]
    public void WithoutMpirun_OneRank()
    {
        var distributed = Distributed.FromEnvironment();
        Assert.AreEqual((0, 1, true), (distributed.Rank, distributed.WorldSize, distributed.IsMain));
    }

    [TestMethod]
    [DataRow(2)]
    [DataRow(4)]
    public void Ranks_WeightsOfOne(int count)
    {
        using var folder = new TemporaryFolder();
        Train("--weights", Path.Combine(folder.Path, "one.safetensors"), "--epochs", "38"); // 8 steps each
        Run(count, "--weights", Path.Combine(folder.Path, "all.safetensors"), "--epochs", "38").AssertSuccess();
        var (one, all) = (Read(Path.Combine(folder.Path, "one.safetensors")), Read(Path.Combine(folder.Path, "all.safetensors")));
        Assert.HasCount(one.Length, all);
        Assert.IsLessThan(1e-5f, one.Zip(all, (a, b) => Math.Abs(a - b) / (1 + Math.Abs(a))).Max());
    }

    /// <summary>So many weights go around in a ring.</summary>
    [TestMethod]
    public void LongSums_WeightsOfOne()
    {
        using var folder = new TemporaryFolder();
        string[] options = ["--units", "16384", "--epochs", "2"];
        Train([.. options, "--weights", Path.Combine(folder.Path, "one")]);
        Run(4, [.. options, "--weights", Path.Combine(folder.Path, "all"), "--each", "1"]).AssertSuccess();
        var all = Enumerable.Range(0, 4).Select(rank => Read(Path.Combine(folder.Path, "all") + rank)).ToArray();
        Assert.IsTrue(all.All(weights => weights.SequenceEqual(all[0])));
        Assert.IsLessThan(1e-5f, Read(Path.Combine(folder.Path, "one")).Zip(all[0], (a, b) => Math.Abs(a - b) / (1 + Math.Abs(a))).Max());
    }

    [TestMethod]
    public void GradientsInBFloat16_SameOnAllRanksAndNearThoseInFloat32()
    {
        using var folder = new TemporaryFolder();
        var (exact, rounded) = (Path.Combine(folder.Path, "exact"), Path.Combine(folder.Path, "rounded"));
        Run(3, "--batch", "33", "--weights", exact).AssertSuccess();
        Run(3, "--batch", "33", "--bfloat16", "1", "--weights", rounded, "--each", "1").AssertSuccess();
        var all = Enumerable.Range(0, 3).Select(rank => Read(rounded + rank)).ToArray();
        Assert.IsTrue(all[0].SequenceEqual(all[1]) && all[0].SequenceEqual(all[2]));
        var difference = Read(exact).Zip(all[0], (a, b) => Math.Abs(a - b)).Max();
        Assert.IsTrue(difference is > 1e-7f and < 1e-3f, $"{difference}");
    }

    [TestMethod]
    public void OtherFormatOnOneRank_IsNamed()
    {
        var result = Run(2, "--bfloat16", "1", "--only", "1");
        Assert.AreNotEqual(0, result.ExitCode);
        Assert.Contains("Rank 1 trains something else: Distributed.GradientPrecision is BFloat16, but Float32 on rank 0", result.Output + result.Error);
    }

    [TestMethod]
    public void OtherData_IsNamedOnEveryRank()
    {
        var result = Run(2, "--other", "1");
        Assert.AreNotEqual(0, result.ExitCode);
        Assert.AreEqual(2, (result.Output + result.Error).Split("Rank 1 trains something else: training data is").Length - 1, result.Error);
    }

    [TestMethod]
    public void FailedRank_EndsTheOthersWithItsReason()
    {
        var result = Run(2, "--at", "1");
        Assert.AreNotEqual(0, result.ExitCode);
        Assert.Contains("Rank 0 ended the training: on purpose", result.Output + result.Error);
    }

    [TestMethod]
    public void HangingRank_AllEndAndItIsNamed()
    {
        using var folder = new TemporaryFolder();
        var result = Run(3, "--stop", "1", "--by", "-STOP", "--at", "1", "--signal", Path.Combine(folder.Path, "signal"), "--timeout", "2", "--batch", "33", "--epochs", "1000000");
        Assert.AreNotEqual(0, result.ExitCode);
        Assert.Contains("MLExtensions: Rank 1 did not answer for 2 s (Distributed.Timeout)", result.Error);
    }

    /// <summary>eng/rank-kills runs it many times, with another rank and moment each.</summary>
    [TestMethod]
    public void KilledRank_ResumeGivesTheSameWeights()
    {
        var rounds = int.Parse(Environment.GetEnvironmentVariable("MLEXTENSIONS_RANK_KILLS") ?? "1", CultureInfo.InvariantCulture);
        var random = new Random(rounds);
        string[] epochs = ["--epochs", "40"];
        using var whole = new TemporaryFolder();
        Run(2, [.. epochs, "--weights", Path.Combine(whole.Path, "whole"), "--checkpoint", Path.Combine(whole.Path, "checkpoints")]).AssertSuccess();
        for (var round = 0; round < rounds; round++)
        {
            using var folder = new TemporaryFolder();
            string[] checkpoint = ["--checkpoint", Path.Combine(folder.Path, "checkpoints")];
            string[] kill = ["--stop", Text(random.Next(2)), "--by", "-KILL", "--at", Text(random.Next(1, 39)), "--wait", Text(random.Next(2000)), "--signal", Path.Combine(folder.Path, "signal")];
            var killed = Run(2, [.. epochs, .. kill, .. checkpoint]);
            if (rounds == 1)
                Assert.AreNotEqual(0, killed.ExitCode);
            Run(2, [.. epochs, "--weights", Path.Combine(folder.Path, "weights"), .. checkpoint]).AssertSuccess();
            Assert.IsTrue(Read(Path.Combine(whole.Path, "whole")).SequenceEqual(Read(Path.Combine(folder.Path, "weights"))), $"round {round}: {string.Join(' ', kill)}");
            Console.WriteLine($"{(killed.ExitCode == 0 ? "too late" : "killed")}: {string.Join(' ', kill)}");
        }

        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }

    private static ChildResult Run(int count, params string[] args)
    {
        var command = ChildProcess.CommandLine(Train, args);
        var start = new ProcessStartInfo("mpirun") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-n", count.ToString(CultureInfo.InvariantCulture), "--bind-to", "none", "--oversubscribe", command.FileName, .. command.ArgumentList])
            start.ArgumentList.Add(argument);
        // mpirun refuses root unless both are set, and draws its messages on terminals that it takes for able.
        foreach (var (name, value) in new[] { ("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"), ("TERM", "dumb") })
            start.Environment[name] = value;
        try
        {
            return ChildProcess.WaitFor(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new AssertInconclusiveException("mpirun is not installed (Debian: apt-get install openmpi-bin).");
        }
    }

    private static void Train(params string[] args)
    {
        var given = args.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);
        int Number(string name, int otherwise) => given.TryGetValue(name, out var value) ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
        var distributed = Distributed.FromEnvironment() with { Timeout = TimeSpan.FromSeconds(Number("--timeout", 60)) };
        if (Number("--bfloat16", 0) == 1 && Number("--only", distributed.Rank) == distributed.Rank)
            distributed = distributed with { GradientPrecision = Precision.BFloat16 };
        var ml = new MLContext(1);
        var random = new SplitMix64(7);
        var rows = Enumerable.Range(0, Rows).Select(row => new Row { Features = Enumerable.Range(0, Width).Select(_ => (float)random.NextDouble()).ToArray(), Label = row % 2 == 0 }).ToArray();
        if (Number("--other", -1) == distributed.Rank)
            rows[3].Features[2] = 9;
        if (Number("--stop", -1) == distributed.Rank)
            new Thread(() => Stop(given["--signal"], given["--by"], Number("--wait", 0))) { IsBackground = true }.Start();
        using var model = ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options
        {
            HiddenLayers = [Number("--units", 8)],
            Activation = Activation.Tanh,
            GlobalBatchSize = Number("--batch", 32),
            Epochs = Number("--epochs", 3),
            ThreadCount = 1,
            Distributed = distributed,
            CheckpointFolder = given.GetValueOrDefault("--checkpoint"),
            ResumeFromCheckpoint = given.ContainsKey("--checkpoint"),
            Progress = new Signal(Number("--at", 0), given.GetValueOrDefault("--signal")),
        }).Fit(ml.Data.LoadFromEnumerable(rows));
        if ((distributed.IsMain || given.ContainsKey("--each")) && given.TryGetValue("--weights", out var path))
            model.Model.SaveWeights(given.ContainsKey("--each") ? FormattableString.Invariant($"{path}{distributed.Rank}") : path);
    }

    /// <summary>Waits for a signal of the training, and some microseconds more, and ends or stops this process.</summary>
    private static void Stop(string signal, string by, int wait)
    {
        while (!File.Exists(signal))
            Thread.Yield();
        for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalMicroseconds < wait;)
            Thread.Yield();
        Process.Start("kill", [by, Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
    }

    private static float[] Read(string path)
    {
        using var scope = torch.NewDisposeScope();
        using var stream = File.OpenRead(path);
        return SafeTensorsReader.Open(stream, path).ReadAll().OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => entry.Value.data<float>().ToArray()).ToArray();
    }

    private sealed class Row
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    /// <summary>After some epochs, writes a file; without one, fails.</summary>
    private sealed class Signal(int epoch, string? path) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Completed == null || value.Epoch != epoch)
                return;
            if (path == null)
                throw new InvalidOperationException("on purpose");
            File.WriteAllText(path, "");
        }
    }
}
