using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Engine;

/// <summary>Options of a training that needs no others.</summary>
internal sealed class PlainOptions : TrainingOptions
{
    public PlainOptions() => (Seed, ThreadCount, Device) = (1, 1, "cpu");
}

/// <summary>Runs the engine on networks that belong to no family, and kills it.</summary>
internal static class EngineRun
{
    /// <summary>Trains; the step is the caller's.</summary>
    public static TrainingHistory Train<TBatch>(TrainingStep<TBatch> step, IBatchSource<TBatch> training, IBatchSource<TBatch>? validation, TrainingGoal? goal, TrainingOptions options)
        where TBatch : Batch
    {
        var host = ((IHostEnvironment)new MLContext(1)).Register("Test");
        using var channel = host.Start("Training");
        using var threads = TorchThreads.Use(1);
        return new TrainingSession(host, channel, options, options.Seed!.Value).Run(step, training, validation, goal);
    }

    public static nn.Module<Tensor, Tensor> CreateModule(NetworkArchitecture architecture, int seed)
    {
        var module = architecture.CreateModule();
        WeightInitializer.Initialize(module, WeightInitialization.HeNormal, (ulong)seed);
        return module;
    }

    /// <summary>All weights of a step's networks, as they are now.</summary>
    public static float[] Weights(TrainingStep step) =>
        step.Networks.SelectMany(network => TensorMemory.Floats(network.Parameters.Weights).ToArray()).ToArray();

    /// <summary>What a child process does to be killed: trains with checkpoints until epoch 6 is done, says so, and waits.</summary>
    public static void TrainUntilKilled(PlainOptions options, Func<PlainOptions, float[]> train)
    {
        TorchRuntime.Initialize();
        options.Progress = new Contract.Listener(progress =>
        {
            if (progress.Completed?.Epoch != 6)
                return;
            Console.WriteLine("ready");
            Thread.Sleep(TimeSpan.FromMinutes(2)); // the test kills this process long before
        });
        train(options);
    }

    /// <summary>A training that is killed and resumed gives the bits of one that was not.</summary>
    /// <param name="trainInChild">Calls <see cref="TrainUntilKilled"/>; its argument is the folder of checkpoints.</param>
    /// <param name="train">Trains and gives the weights.</param>
    /// <param name="options">The options, given the folder of checkpoints or null.</param>
    public static void AssertResumesAfterKill(Action<string[]> trainInChild, Func<PlainOptions, float[]> train, Func<string?, PlainOptions> options)
    {
        using var folder = new TemporaryFolder();
        using (Process child = ChildProcess.Start(trainInChild, [folder.Path]))
        {
            var line = child.StandardOutput.ReadLine();
            while (line is not (null or "ready"))
                line = child.StandardOutput.ReadLine();
            Assert.AreEqual("ready", line, "the child ended by itself");
            child.Kill();
            child.WaitForExit();
        }
        var epochs = 0;
        var resuming = options(folder.Path);
        resuming.ResumeFromCheckpoint = true;
        resuming.Progress = new Contract.Listener(progress => epochs += progress.Completed == null ? 0 : 1);
        Contract.Outcome.AssertSameBits(train(options(null)), train(resuming));
        // The last checkpoint is that of epoch 5: the child was killed before it could write the next.
        Assert.AreEqual(resuming.Epochs - 5, epochs, "epochs that were left");
    }
}

/// <summary>A source that gives one batch an epoch.</summary>
internal sealed class OneBatch<TBatch>(Func<TBatch> create) : IBatchSource<TBatch>
    where TBatch : Batch
{
    public long RowCount => 1;

    public int BatchCount => 1;

    public IEnumerable<TBatch> ReadEpoch(int epoch) => [create()];
}
