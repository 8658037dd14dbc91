using MLExtensions.Engine;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Engine;

/// <summary>An agent that makes its own data fits the engine: Q-learning with a replay buffer and a target network in a corridor of five cells (Mnih et al., 2015).</summary>
[TestClass]
public sealed class ToyAgentTests
{
    private const int Cells = 5;
    private const int Epochs = 20;
    private const double Discount = 0.9;

    /// <summary>From the left end, each step to the right is worth 0.9 times the next one; the last gives 1.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Agent_LearnsTheValues()
    {
        using var scope = NewDisposeScope();
        var (step, history) = Train(Options(null), TestSeed.Of(1));
        using (step)
        {
            Assert.AreEqual(1, history.Epochs[^1].Validation["return"], "the shortest way");
            for (var cell = 0; cell < Cells - 1; cell++)
                Floor.Near(Math.Pow(Discount, Cells - 2 - cell), step.Values(cell)[1], 0.15);
        }
    }

    [TestMethod]
    public void Killed_SameBitsAsInOneGo() => EngineRun.AssertResumesAfterKill(TrainInChild, Weights, Options);

    private static void TrainInChild(string[] args) => EngineRun.TrainUntilKilled(Options(args[0]), Weights);

    private static float[] Weights(PlainOptions options)
    {
        using var scope = NewDisposeScope();
        using var step = Train(options, seed: 1).Step;
        return EngineRun.Weights(step);
    }

    private static (AgentStep Step, TrainingHistory History) Train(PlainOptions options, int seed)
    {
        var step = new AgentStep(options, seed);
        var goal = new TrainingGoal("return", GoalDirection.Maximize);
        var history = EngineRun.Train(step, new Experience(step.Values, seed), new OneBatch<TransitionBatch>(() => new TransitionBatch(1, 0, zeros(1).DetachFromDisposeScope())), goal, options);
        return (step, history);
    }

    private static PlainOptions Options(string? folder) => new() { Epochs = Epochs, LearningRate = 5e-3, CheckpointFolder = folder };

    private static (int Cell, float Reward, bool IsOver) Move(int cell, int action)
    {
        var next = Math.Max(0, cell + (action == 1 ? 1 : -1));
        return (next, next == Cells - 1 ? 1 : 0, next == Cells - 1);
    }

    private sealed class TransitionBatch(int count, double fraction, Tensor transitions) : Batch(count, fraction)
    {
        /// <summary>Cell, action, reward, next cell and whether it goes on, <c>[transitions, 5]</c>.</summary>
        public Tensor Transitions => transitions;

        public override void Dispose() => transitions.Dispose();
    }

    private sealed class AgentStep : TrainingStep<TransitionBatch>
    {
        private readonly TrainedNetwork _network;
        private readonly Tensor _target;

        public AgentStep(TrainingOptions options, int seed)
        {
            var architecture = new MlpArchitecture { InputCount = Cells, OutputCount = 2, HiddenLayers = [new MlpLayer(16)] };
            _network = new TrainedNetwork("values", architecture, EngineRun.CreateModule(architecture, seed), options.Optimization, seed, CPU);
            _target = _network.Parameters.Weights.clone(); // the test's scope frees it
        }

        public override IReadOnlyList<TrainedNetwork> Networks => [_network];

        public override IReadOnlyList<(string Name, Tensor Value)> State => [("target", _target)];

        public float[] Values(int cell)
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            return _network.Forward(OneHot(tensor(new[] { (float)cell }))).data<float>().ToArray();
        }

        public override double Train(TransitionBatch batch, double learningRate, MetricSums metrics)
        {
            var (cells, actions, rewards) = (batch.Transitions.select(1, 0), batch.Transitions.select(1, 1), batch.Transitions.select(1, 2));
            Tensor goals;
            using (no_grad())
            {
                using var online = _network.Parameters.Exchange(_target);
                goals = rewards + (batch.Transitions.select(1, 4) * Discount * _network.Forward(OneHot(batch.Transitions.select(1, 3))).amax([1]));
                _network.Parameters.Exchange(online).Dispose();
            }
            var values = _network.Forward(OneHot(cells)).gather(1, actions.to(ScalarType.Int64).unsqueeze(1)).squeeze(1);
            var loss = _network.Descend(nn.functional.mse_loss(values, goals), learningRate);
            using (no_grad())
                _target.mul_(0.9).add_(_network.Parameters.Weights, alpha: 0.1);
            return loss;
        }

        public override double? Validate(TransitionBatch batch, MetricSums metrics)
        {
            var (cell, reward) = (0, 0f);
            for (var move = 0; move < Cells - 1; move++)
                (cell, reward, _) = Move(cell, Values(cell) is [var left, var right] && right > left ? 1 : 0);
            metrics.Add("return", reward);
            return null;
        }

        private static Tensor OneHot(Tensor cells) => nn.functional.one_hot(cells.to(ScalarType.Int64), Cells).to(ScalarType.Float32);
    }

    /// <summary>Acts with the network as it is, keeps what it met, and draws batches of it.</summary>
    private sealed class Experience(Func<int, float[]> values, int seed) : IBatchSource<TransitionBatch>
    {
        private const int Capacity = 200;
        private readonly Tensor _transitions = zeros(Capacity, 5);
        private readonly Tensor _count = zeros(1, dtype: ScalarType.Int64);

        public long RowCount => 16 * BatchCount;
        public int BatchCount => 40;
        public IReadOnlyList<(string Name, Tensor Value)> State => [("transitions", _transitions), ("count", _count)];

        public IEnumerable<TransitionBatch> ReadEpoch(int epoch)
        {
            var random = new Random((1000 * seed) + epoch);
            var cell = random.Next(Cells - 1);
            for (var move = 0; move < BatchCount; move++)
            {
                var action = random.NextDouble() < 0.3 ? random.Next(2) : values(cell) is [var left, var right] && right > left ? 1 : 0;
                var (next, reward, isOver) = Move(cell, action);
                var count = _count.item<long>();
                using (NewDisposeScope())
                {
                    _transitions[count % Capacity] = tensor(new[] { cell, action, reward, next, isOver ? 0f : 1f });
                    _count.add_(1);
                }
                cell = isOver ? random.Next(Cells - 1) : next;
                var drawn = Enumerable.Range(0, 16).Select(_ => (long)random.Next((int)Math.Min(count + 1, Capacity))).ToArray();
                using var indices = tensor(drawn);
                yield return new TransitionBatch(16, (double)move / BatchCount, _transitions.index_select(0, indices).DetachFromDisposeScope());
            }
        }
    }
}
