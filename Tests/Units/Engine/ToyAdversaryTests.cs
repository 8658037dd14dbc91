using MLExtensions.Engine;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Engine;

/// <summary>Two networks that play against each other fit the engine: a generator of points on a ring of eight Gaussians (Goodfellow et al., 2014).</summary>
[TestClass]
public sealed class ToyAdversaryTests
{
    private const int Epochs = 30;

    [TestMethod]
    [TestCategory("Floor")]
    public void Generator_FindsTheRing()
    {
        using var scope = NewDisposeScope();
        using var step = new AdversarialStep(Options(null), TestSeed.Of(1));
        var before = step.Distance();
        var history = EngineRun.Train(step, new RingBatches(TestSeed.Of(1)), null, goal: null, Options(null));
        Assert.HasCount(Epochs, history.Epochs);
        Assert.IsNull(history.BestEpoch, "there is no goal");
        Assert.IsTrue(history.Epochs[^1].Training.ContainsKey("generatorLoss"));
        Floor.Below(0.6, step.Distance() / before, "distance from the nearest Gaussian, of that of untrained samples");
    }

    [TestMethod]
    public void DiscardGradients_KeepsTheOtherNetworksLossOut()
    {
        using var scope = NewDisposeScope();
        using var step = new AdversarialStep(Options(null), seed: 1);
        foreach (var batch in new RingBatches(1).ReadEpoch(1).Take(3))
        {
            step.Train(batch, 1e-3, new MetricSums());
            foreach (var network in step.Networks)
                Assert.AreEqual(0f, network.Parameters.Gradients.abs().max().item<float>(), network.Name);
        }
    }

    [TestMethod]
    public void EarlyStopping_HasNothingToStopBy()
    {
        var options = Options(null);
        options.EarlyStopping = new EarlyStopping();
        using var step = new AdversarialStep(options, seed: 1);
        var error = Assert.ThrowsExactly<ArgumentException>(() => EngineRun.Train(step, new RingBatches(1), null, goal: null, options));
        Assert.Contains("EarlyStopping", error.Message);
    }

    [TestMethod]
    public void Killed_SameBitsAsInOneGo() => EngineRun.AssertResumesAfterKill(TrainInChild, Train, Options);

    private static void TrainInChild(string[] args) => EngineRun.TrainUntilKilled(Options(args[0]), Train);

    private static float[] Train(PlainOptions options)
    {
        using var scope = NewDisposeScope();
        using var step = new AdversarialStep(options, seed: 1);
        EngineRun.Train(step, new RingBatches(1), null, goal: null, options);
        return EngineRun.Weights(step);
    }

    private static PlainOptions Options(string? folder) => new() { Epochs = Epochs, LearningRate = 2e-3, EmaDecay = 0.9, CheckpointFolder = folder };

    private sealed class AdversarialStep : TrainingStep<RowBatch>
    {
        private readonly TrainedNetwork _generator;
        private readonly TrainedNetwork _discriminator;
        private readonly Generator _noise;
        private readonly int _seed;

        public AdversarialStep(TrainingOptions options, int seed)
        {
            var points = new MlpArchitecture { InputCount = 4, OutputCount = 2, HiddenLayers = [new MlpLayer(24), new MlpLayer(24)] };
            var judgment = points with { InputCount = 2, OutputCount = 1 };
            // Each network is trained in its own way.
            var settings = options.Optimization with { Optimizer = new AdamOptimizer { Beta1 = 0.5 } };
            _generator = new TrainedNetwork("generator", points, EngineRun.CreateModule(points, seed), settings, seed, CPU);
            _discriminator = new TrainedNetwork("discriminator", judgment, EngineRun.CreateModule(judgment, seed + 1), settings with { LearningRateFactor = 2, AverageDecay = null }, seed, CPU);
            _noise = new Generator((ulong)seed);
            _seed = seed;
        }

        public override IReadOnlyList<TrainedNetwork> Networks => [_generator, _discriminator];

        public override void BeginEpoch(int epoch)
        {
            base.BeginEpoch(epoch);
            _noise.manual_seed((1000 * _seed) + epoch);
        }

        public override double Train(RowBatch batch, double learningRate, MetricSums metrics)
        {
            var fake = _generator.Forward(randn(batch.RowCount, 4, generator: _noise));
            var loss = _discriminator.Descend(Judge(batch.Features, 1) + Judge(fake.detach(), 0), learningRate);
            metrics.Add("generatorLoss", _generator.Descend(Judge(fake, 1), learningRate) * batch.RowCount);
            _discriminator.DiscardGradients();
            return loss;
        }

        public override double? Validate(RowBatch batch, MetricSums metrics) => throw new NotSupportedException();

        /// <summary>The mean distance of samples from the nearest of the Gaussians.</summary>
        public double Distance()
        {
            using var noGradient = no_grad();
            using var noise = new Generator(7);
            var samples = _generator.Forward(randn(500, 4, generator: noise));
            var angles = arange(8, dtype: ScalarType.Float32) * (Math.PI / 4);
            return (samples.unsqueeze(1) - stack([angles.cos(), angles.sin()], 1).unsqueeze(0)).norm(2).amin([1]).mean().item<float>();
        }

        private Tensor Judge(Tensor points, float answer)
        {
            var logits = _discriminator.Forward(points);
            return nn.functional.binary_cross_entropy_with_logits(logits, full_like(logits, answer));
        }
    }

    private sealed class RingBatches(int seed) : IBatchSource<RowBatch>
    {
        public long RowCount => 32 * BatchCount;

        public int BatchCount => 40;

        public IEnumerable<RowBatch> ReadEpoch(int epoch)
        {
            var random = new Random((seed * 1000) + epoch);
            for (var number = 0; number < BatchCount; number++)
                yield return new RowBatch(32, (double)number / BatchCount, tensor(Enumerable.Range(0, 32).SelectMany(_ => Point(random)).ToArray()).view(32, 2).DetachFromDisposeScope());
        }

        private static float[] Point(Random random)
        {
            var angle = random.Next(8) * Math.PI / 4;
            return [(float)(Math.Cos(angle) + (0.02 * (random.NextDouble() - 0.5))), (float)(Math.Sin(angle) + (0.02 * (random.NextDouble() - 0.5)))];
        }
    }
}
