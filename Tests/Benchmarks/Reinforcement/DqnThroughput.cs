using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>
/// Deep Q-learning of CartPole, the whole <c>Fit</c>, against a hand-written loop with as many steps in the environment and training steps; and
/// the environment alone.
/// </summary>
internal sealed class DqnThroughput : IBenchmark
{
    private const int Hidden = 256;
    private const int Updates = 1000;
    private const int EnvironmentSteps = 1_000_000;

    public string Name => "dqn";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var ml = new MLContext(1);
        foreach (var threads in new[] { 1, 2 })
        {
            set_num_threads(threads);
            var what = $"DQN {Hidden}-{Hidden} on CartPole, batch {Options(threads).BatchSize}, {Threads.Text(threads)}";
            var ours = new Clocks(() => Fit(ml, threads));
            var theirs = new Clocks(() => TrainByHand(threads));
            var elapsed = Timing.Compare(settings.Rounds, new Contender("Dqn", ours.Run), new Contender("hand-written loop", theirs.Run));
            yield return Bound.Row(what, 1.5, elapsed, "training steps", Updates);
            if (threads == 1)
                yield return Bound.Row($"the same in processor time", 1.5, new Comparison(ours.Processor("Dqn"), theirs.Processor("hand-written loop")), "training steps", Updates);
        }
        var environment = new Samples("CartPole-v1", Enumerable.Range(0, settings.Rounds).Select(_ => Timing.Seconds(Play)));
        yield return new ResultRow("CartPole alone, 1 thread", "", "", environment.Rate(EnvironmentSteps, "steps"));
    }

    private static DqnEstimator.Options Options(int threads) => new()
    {
        Epochs = 1,
        StepsPerEpoch = 2196,
        LearningStarts = 200,
        EvaluationEpisodes = 0,
        Layers = DqnLayers.Perceptron(Hidden, Hidden),
        ThreadCount = threads,
        Seed = 1,
    };

    private static void Fit(MLContext ml, int threads)
    {
        using var environment = EnvironmentRegistry.Make("CartPole-v1");
        using var policy = ml.ReinforcementLearning.Trainers.Dqn(Options(threads)).Fit(environment);
        var options = Options(threads);
        if (policy.History.Epochs[0].Examples != Updates * options.BatchSize)
            throw new InvalidOperationException($"{policy.History.Epochs[0].Examples} examples were learned from.");
    }

    private static void TrainByHand(int threads)
    {
        using var environment = EnvironmentRegistry.Make("CartPole-v1");
        using var theirs = new HandWrittenDqn(environment, Hidden, Options(threads));
        theirs.Train(environment);
    }

    private static void Play()
    {
        using var environment = EnvironmentRegistry.Make("CartPole-v1");
        environment.Reset(1);
        for (var step = 0; step < EnvironmentSteps; step++)
        {
            if (environment.Step(step & 1).IsEnd)
                environment.Reset();
        }
    }
}
