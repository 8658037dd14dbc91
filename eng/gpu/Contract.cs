using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Distribution;
using MLExtensions.Tests;
using MLExtensions.Tests.Contract;
using TorchSharp;

namespace MLExtensions.GpuCheck;

/// <summary>The heart of the contract on a device: every family learns there what it learns on the CPU, and its model goes on without the device.</summary>
internal static class Contract
{
    private const int Rows = 128;

    // Float32 adds up in another order. What is divided by its own deviation, or goes through many time steps, makes more of it.
    // (Between instruction sets of a CPU: 5e-7 at most; ResNetMulticlass and FastStyle, whose steps are therefore short, were 3e-3 and 3e-2.)
    private const double Usual = 2e-5;
    private const double Sensitive = 1e-3;

    private static readonly string[] SensitiveNames = ["ResNet", "Lstm", "LanguageModel", "SequenceToSequence", "Quatrain", "Forecast", "Gan", "Dcgan", "ConditionalGan", "FastStyle", "AdaptiveStyle", "Embedding"];

    // What they draw at random is drawn by the device.
    private static readonly string[] DrawingNames = ["Rbm", "StackedRbm"];

    private static readonly Dictionary<string, double> ShortSteps = new() { ["ResNetMulticlass"] = 0.1, ["FastStyle"] = 0.01 };

    /// <returns>The exit code.</returns>
    public static int Check(string device)
    {
        var failures = 0;
        Console.WriteLine($"{"family",-30}{"weights",12}{"outputs",12}{"allowed",10}{"seconds",9}");
        foreach (var name in Subjects.TrainingNames.Select(row => (string)row[0]))
            failures += Try(name, () => Family(Subjects.Training(name), device));
        foreach (var (name, check) in Others(device))
            failures += Try(name, check);
        Console.WriteLine(failures == 0 ? "all as on the CPU" : $"{failures} FAILED");
        return failures == 0 ? 0 : 1;
    }

    private static int Try(string name, Func<string> check)
    {
        var watch = Stopwatch.StartNew();
        string result;
        try
        {
            result = check();
        }
        catch (Exception e)
        {
            result = $" FAILED: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}";
        }
        Console.WriteLine($"{name,-30}{result,-34}{watch.Elapsed.TotalSeconds,9:F1}");
        return result.Contains("FAILED", StringComparison.Ordinal) ? 1 : 0;
    }

    private static string Family(TrainingSubject subject, string device)
    {
        var ml = new MLContext(1);
        var data = Example.View(ml, subject.Rows(Rows), subject.FeatureCount);
        var drawing = DrawingNames.Contains(subject.Name);
        using var there = Fit("cpu");
        using var here = Fit(device);
        Require(here.Histories.All(history => history.Device.StartsWith(device.Split(':')[0], StringComparison.Ordinal)), "it was trained elsewhere");
        var values = subject.Values(here.Transform(data));
        Require(Outcome.Weights(here).Concat(values).All(float.IsFinite), "there are numbers that are not finite");
        // The model knows nothing of the device.
        using var file = new MemoryStream();
        ml.Model.Save(here.Transformer, data.Schema, file);
        file.Position = 0;
        using var loaded = new TrainedModel(ml.Model.Load(file, out _));
        Require(Outcome.SameBits(values, subject.Values(loaded.Transform(data))), "the saved model computes something else");
        if (drawing)
            return $"{"drawn",12}{subject.Quality(ml, here.Transform(data)),12:F2}{subject.Floor,10:F2}{(subject.Quality(ml, here.Transform(data)) >= subject.Floor ? "" : " FAILED")}";
        var allowed = SensitiveNames.Any(name => subject.Name.StartsWith(name, StringComparison.Ordinal)) ? Sensitive : Usual;
        var (weights, outputs) = (Difference(Outcome.Weights(there), Outcome.Weights(here)), Difference(subject.Values(there.Transform(data)), values));
        return $"{weights,12:E1}{outputs,12:E1}{allowed,10:E0}{(weights <= allowed && outputs <= 10 * allowed ? "" : " FAILED")}";

        TrainedModel Fit(string where) => subject.Fit(subject.CreateEstimator(ml, subject.Options(options =>
        {
            options.Device = where;
            if (drawing)
                return;
            // Adam makes steps of the same length of gradients that are all rounding.
            var rate = subject.RateOf(new SgdOptimizer());
            (options.Epochs, options.Optimizer, options.LearningRate) = (2, new SgdOptimizer(), (rate ?? options.LearningRate) * ShortSteps.GetValueOrDefault(subject.Name, 1));
        })), data);
    }

    /// <summary>What no family has alone: options, checkpoints, sums over ranks, an agent.</summary>
    private static IEnumerable<(string Name, Func<string> Check)> Others(string device)
    {
        foreach (var name in new[] { "MlpMulticlass", "CnnMulticlass", "ResNetRegression", "LstmBinary", "LanguageModel", "Autoencoder" })
        {
            foreach (var precision in new[] { Precision.BFloat16, Precision.TensorFloat32 })
                yield return ($"{name} {precision}", () => Learns(name, options => (options.Device, options.Precision) = (device, precision)));
        }
        foreach (var name in new[] { "MlpMulticlass", "ResNetRegression", "LstmBinary" })
            yield return ($"{name} noise, resumed", () => Resumes(name, device));
        yield return ("Dqn", () => Agent(device));
        if (device != "cpu")
            yield return ("NCCL, one rank", () => Sums(device));
    }

    private static string Learns(string name, Action<DataTrainingOptions> change)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var data = Example.View(ml, subject.Rows(400), subject.FeatureCount);
        using var model = subject.Fit(subject.CreateEstimator(ml, subject.Options(change)), data);
        var quality = subject.Quality(ml, model.Transform(data));
        return $"{"",12}{quality,12:F2}{subject.NoisyFloor,10:F2}{(quality >= subject.NoisyFloor ? "" : " FAILED")}";
    }

    /// <summary>With dropout, moving averages, clipping and batch statistics. GPUs promise no bits, but the same numbers.</summary>
    private static string Resumes(string name, string device)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        using var whole = Fit(4, null, false);
        Fit(2, folder.Path, false).Dispose();
        using var resumed = Fit(4, folder.Path, true);
        var weights = Difference(Outcome.Weights(whole), Outcome.Weights(resumed));
        return $"{weights,12:E1}{"",12}{Sensitive,10:E0}{(weights <= Sensitive ? "" : " FAILED")}";

        TrainedModel Fit(int epochs, string? checkpoints, bool resume) => subject.Fit(subject.Rows(Rows), options =>
        {
            (options.Epochs, options.Device, options.CheckpointFolder, options.ResumeFromCheckpoint) = (epochs, device, checkpoints, resume);
            (options.Optimizer, options.LearningRate, options.EmaDecay, options.GradientClipNorm) = (new SgdOptimizer { Momentum = 0.5 }, 0.02, 0.9, 1);
        }, noisy: true);
    }

    private static string Agent(string device)
    {
        var ml = new MLContext(1);
        using var pole = EnvironmentRegistry.Make("CartPole-v1");
        using var agent = ml.ReinforcementLearning.Trainers.Dqn(new DqnEstimator.Options { Epochs = 3, StepsPerEpoch = 500, LearningStarts = 100, Device = device, Seed = 1 }).Fit(pole);
        var values = agent.ActionValues([0f, 0f, 0.05f, 0f]);
        Require(agent.History.Device.StartsWith(device.Split(':')[0], StringComparison.Ordinal) && values.All(float.IsFinite), "no values");
        return $"{"",12}{values.Max(),12:F2}{"finite",10}";
    }

    private static string Sums(string device)
    {
        var number = device.Contains(':') ? int.Parse(device.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture) : 0;
        var (nccl, missing) = NcclSum.Load();
        if (nccl == null)
            return $" skipped: {missing}";
        using var scope = torch.NewDisposeScope();
        using var sum = new NcclSum(nccl, new OneRank(), number);
        var values = torch.arange(100_000, torch.float32, new torch.Device(DeviceType.CUDA, number));
        var before = values.sum();
        sum.Sum(values);
        var difference = (values.sum() - before).abs().item<float>();
        return $"{difference,12:E1}{"",12}{0,10}{(difference == 0 ? "" : " FAILED")}";
    }

    /// <summary>The largest difference, relative to values larger than 1.</summary>
    private static double Difference(float[] expected, float[] actual)
    {
        Require(expected.Length == actual.Length, $"there are {actual.Length} numbers instead of {expected.Length}");
        return expected.Zip(actual, (x, y) => Math.Abs(x - y) / Math.Max(1.0, Math.Abs(x))).DefaultIfEmpty().Max();
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
            throw new InvalidOperationException(otherwise);
    }

    private sealed class OneRank : ProcessGroup
    {
        public override int Rank => 0;

        public override int Size => 1;

        private protected override double SumOnHost(torch.Tensor values, double number, Precision precision) => number;

        private protected override void SumOnHost(Span<double> values)
        {
        }

        private protected override byte[] BroadcastOnHost(byte[] value, int root) => value;

        private protected override void Notify(bool isCancelled, string reason)
        {
        }
    }
}
