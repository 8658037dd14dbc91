using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Agents on several ranks, which are threads here: each acts and remembers for itself, and all learn one network.</summary>
[TestClass]
public sealed class DqnRankTests
{
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Log_WeightsOfOne(bool prioritized)
    {
        var steps = DqnLogTests.Steps(300, random: 1);
        var one = Train(null);
        foreach (var count in new[] { 2, 4 })
        {
            var all = ThreadRanks.Run(count, Train);
            Outcome.AssertSameBits(all[0], all[1]);
            Assert.IsLessThan(1e-5f, one.Zip(all[0], (a, b) => Math.Abs(a - b) / (1 + Math.Abs(a))).Max(), $"{count} ranks");
        }

        float[] Train(Distributed? distributed)
        {
            var options = DqnLogTests.Options(episodes: false);
            (options.Epochs, options.GlobalBatchSize, options.PrioritizedReplay, options.Distributed) = (3, 16, prioritized, distributed);
            using var policy = DqnLogTests.Fit(steps, options);
            return Weights(policy);
        }
    }

    [TestMethod]
    public void Environment_AnActorARank_OneNetwork()
    {
        var all = ThreadRanks.Run(2, distributed => Train(distributed, null, 3));
        Outcome.AssertSameBits(all[0].Weights, all[1].Weights);
        Assert.AreEqual(all[0].Episodes, all[1].Episodes);
        var one = Train(null, null, 3);
        Assert.IsGreaterThan(1e-3f, one.Weights.Zip(all[0].Weights, (a, b) => Math.Abs(a - b)).Max(), "the second actor met nothing");
        Assert.IsGreaterThan(1.2 * one.Episodes, all[0].Episodes, "episodes of both are counted");
    }

    [TestMethod]
    public void Resumed_SameWeights()
    {
        using var folder = new TemporaryFolder();
        var whole = ThreadRanks.Run(2, distributed => Train(distributed, null, 4));
        ThreadRanks.Run(2, distributed => Train(distributed, folder.Path, 4, cancelAfter: 2));
        var resumed = ThreadRanks.Run(2, distributed => Train(distributed, folder.Path, 4));
        Outcome.AssertSameBits(whole[0].Weights, resumed[0].Weights);
        Outcome.AssertSameBits(whole[0].Weights, resumed[1].Weights);
        Assert.Contains("number of actors 2, but this training has 1", Assert.ThrowsExactly<InvalidOperationException>(() => Train(null, folder.Path, 4)).Message);
    }

    private static (float[] Weights, double Episodes) Train(Distributed? distributed, string? folder, int epochs, int? cancelAfter = null)
    {
        using var cancellation = new CancellationTokenSource();
        var options = DqnTests.Options(1);
        (options.Epochs, options.GlobalBatchSize, options.Distributed, options.CheckpointFolder, options.ResumeFromCheckpoint) = (epochs, 16, distributed, folder, folder != null);
        options.Progress = new Listener(progress =>
        {
            if (cancelAfter is { } last && progress.Completed?.Epoch == last + 1) // null is equal to null, and some reports are between epochs
                cancellation.Cancel();
        });
        options.CancellationToken = cancellation.Token;
        try
        {
            using var game = EnvironmentRegistry.Make("CartPole-v1");
            using var policy = DqnTests.Fit(game, options);
            return (Weights(policy), policy.History.Epochs[0].Training["episodes"]);
        }
        catch (OperationCanceledException) when (cancelAfter != null)
        {
            return ([], 0);
        }
    }

    private static float[] Weights(DqnTransformer policy) => policy.Model.WeightShapes.Keys.Order(StringComparer.Ordinal).SelectMany(name => policy.Model.GetWeights(name)).ToArray();
}
