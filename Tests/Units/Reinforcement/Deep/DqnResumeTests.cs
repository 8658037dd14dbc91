using System.Diagnostics;
using Microsoft.ML;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Checkpoints of agents: the replay buffer, the random numbers, the environment and the episode go on where they were.</summary>
[TestClass]
public sealed class DqnResumeTests
{
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Killed_SameCurveAndWeights(bool prioritized)
    {
        using var folder = new TemporaryFolder();
        using (var child = ChildProcess.Start(TrainInChild, [folder.Path, prioritized.ToString()]))
        {
            var line = child.StandardOutput.ReadLine();
            while (line is not (null or "ready"))
                line = child.StandardOutput.ReadLine();
            Assert.AreEqual("ready", line, "the child ended by itself");
            child.Kill();
            child.WaitForExit();
        }
        var resuming = Options(folder.Path, prioritized);
        var epochs = 0;
        (resuming.ResumeFromCheckpoint, resuming.Progress) = (true, new Contract.Listener(progress => epochs += progress.Completed == null ? 0 : 1));
        using DqnTransformer whole = Fit(Options(null, prioritized)), resumed = Fit(resuming);
        Assert.AreEqual(3, epochs, "of 5 epochs the third was not finished");
        foreach (var name in whole.Model.WeightShapes.Keys)
            Contract.Outcome.AssertSameBits(whole.Model.GetWeights(name), resumed.Model.GetWeights(name));
        CollectionAssert.AreEqual(Curve(whole), Curve(resumed));

        static double[] Curve(DqnTransformer policy) => policy.History.Epochs.SelectMany(epoch => new[] { epoch.TrainingLoss, epoch.Training["return"], epoch.Training["episodes"], epoch.Validation["return"] }).ToArray();
    }

    [TestMethod]
    public void OtherEnvironment_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var options = Options(folder.Path, false);
        Fit(options).Dispose();
        options.ResumeFromCheckpoint = true;
        var message = Assert.ThrowsExactly<InvalidOperationException>(() => DqnTests.Fit(new TimeLimit(new CartPoleEnvironment(), 100), options)).Message;
        Assert.Contains("was made with environment TimeLimit 500 of CartPole-v1", message);
    }

    [TestMethod]
    public void EnvironmentThatCannotBeKept_IsRefusedAtOnce()
    {
        using var folder = new TemporaryFolder();
        var options = DqnTests.Options(1);
        options.CheckpointFolder = folder.Path;
        Assert.Contains("CheckpointFolder is set, but Corridor cannot keep its state", Assert.ThrowsExactly<ArgumentException>(() => DqnTests.Fit(new Forgetful(), options)).Message);
        (options.CheckpointFolder, options.EarlyStopping) = (null, new EarlyStopping());
        Assert.Contains("EarlyStopping needs evaluations", Assert.ThrowsExactly<ArgumentException>(() => DqnTests.Fit(new Forgetful(), options)).Message);
        (options.EarlyStopping, options.Epochs) = (null, 1);
        using var policy = DqnTests.Fit(new Forgetful(), options);
        Assert.IsTrue(policy.History.Warnings.Any(warning => warning.Contains("not evaluated after epochs")));
    }

    private static void TrainInChild(string[] args)
    {
        var options = Options(args[0], bool.Parse(args[1]));
        options.Progress = new Contract.Listener(progress =>
        {
            if (progress.Completed?.Epoch != 3)
                return;
            Console.WriteLine("ready");
            Thread.Sleep(TimeSpan.FromMinutes(2)); // the test kills this process long before
        });
        Fit(options).Dispose();
    }

    private static DqnTransformer Fit(DqnEstimator.Options options)
    {
        using var game = EnvironmentRegistry.Make("CartPole-v1");
        return DqnTests.Fit(game, options);
    }

    private static DqnEstimator.Options Options(string? folder, bool prioritized)
    {
        var options = DqnTests.Options(1);
        (options.Epochs, options.CheckpointFolder, options.PrioritizedReplay, options.ReplayCapacity) = (5, folder, prioritized, 700);
        return options;
    }

    private sealed class Forgetful : IEnvironment
    {
        private readonly Corridor _corridor = new();

        public string Name => _corridor.Name;

        public Space ObservationSpace => _corridor.ObservationSpace;

        public DiscreteSpace ActionSpace => _corridor.ActionSpace;

        public EnvironmentState Reset(int? seed = null) => _corridor.Reset(seed);

        public EnvironmentStep Step(int action) => _corridor.Step(action);

        public void Dispose() => _corridor.Dispose();
    }
}
