using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLExtensions.Benchmarks;

/// <summary>
/// The loop that one would write with TorchSharp for what <see cref="DqnEstimator"/> does by default: a perceptron, double learning, returns over
/// several steps, Huber's loss, clipped gradients, Adam with a falling rate, a target network that follows. Transitions are in arrays, each
/// batch becomes tensors by one copy, and nothing but the loss is computed with gradients.
/// </summary>
internal sealed class HandWrittenDqn : IDisposable
{
    private const int Capacity = 100_000;
    private readonly DqnEstimator.Options _options;
    private readonly Sequential _network;
    private readonly Sequential _target;
    private readonly Parameter[] _parameters;
    private readonly Parameter[] _targets;
    private readonly Adam _optimizer;
    private readonly Random _random = new(1);
    private readonly int _size;
    private readonly float[] _states;
    private readonly float[] _nexts;
    private readonly float[] _rewards = new float[Capacity];
    private readonly float[] _discounts = new float[Capacity];
    private readonly long[] _actions = new long[Capacity];
    private int _count;

    public HandWrittenDqn(IEnvironment environment, int hidden, DqnEstimator.Options options)
    {
        (_options, _size) = (options, environment.ObservationSpace.Size);
        (_network, _target) = (Network(), Network());
        _target.load_state_dict(_network.state_dict());
        (_parameters, _targets) = ([.. _network.parameters()], [.. _target.parameters()]);
        _optimizer = optim.Adam(_parameters, options.LearningRate, .9, .999);
        (_states, _nexts) = (new float[Capacity * _size], new float[Capacity * _size]);

        Sequential Network() => nn.Sequential(
            nn.Linear(_size, hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, environment.ActionSpace.Count));
    }

    /// <summary>Acts and learns as long as the options say.</summary>
    /// <returns>The mean loss.</returns>
    public double Train(IEnvironment environment)
    {
        var steps = _options.Epochs * _options.StepsPerEpoch;
        var pending = new Queue<(float[] State, int Action, double Reward)>();
        var (loss, updates) = (0.0, 0);
        var state = environment.Reset(1).Observation.ToArray();
        for (var step = 1; step <= steps; step++)
        {
            var done = (double)step / steps;
            var epsilon = Math.Max(_options.FinalEpsilon, 1 - ((1 - _options.FinalEpsilon) * done / _options.EpsilonDecayFraction));
            var action = _random.NextDouble() < epsilon ? _random.Next(environment.ActionSpace.Count) : Best(state);
            var came = environment.Step(action);
            pending.Enqueue((state, action, came.Reward));
            state = came.Observation.ToArray();
            while (pending.Count >= _options.ReturnSteps || (came.IsEnd && pending.Count > 0))
                Keep(pending, state, came.Terminated);
            if (came.IsEnd)
                state = environment.Reset().Observation.ToArray();
            if (step < _options.LearningStarts || step % _options.TrainingInterval != 0)
                continue;
            foreach (var group in _optimizer.ParamGroups)
                group.LearningRate = _options.LearningRate * (1 - done);
            for (var i = 0; i < _options.GradientSteps; i++, updates++)
                loss += Learn();
        }
        return loss / updates;
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _network.Dispose();
        _target.Dispose();
    }

    private int Best(float[] state)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        return (int)_network.forward(tensor(state, 1, _size)).argmax(1).item<long>();
    }

    /// <summary>Keeps the oldest step that waits, with the rewards that followed.</summary>
    private void Keep(Queue<(float[] State, int Action, double Reward)> pending, float[] next, bool terminated)
    {
        var (sum, factor) = (0.0, 1.0);
        foreach (var (_, _, reward) in pending)
        {
            sum += factor * reward;
            factor *= _options.DiscountFactor;
        }
        var (state, action, _) = pending.Dequeue();
        var place = _count++ % Capacity;
        state.CopyTo(_states, place * _size);
        next.CopyTo(_nexts, place * _size);
        (_actions[place], _rewards[place], _discounts[place]) = (action, (float)sum, terminated ? 0 : (float)factor);
    }

    private double Learn()
    {
        using var scope = NewDisposeScope();
        var (states, actions, rewards, nexts, discounts) = Draw(_options.BatchSize);
        Tensor goals;
        using (no_grad())
        {
            var best = _network.forward(nexts).argmax(1, keepdim: true);
            goals = rewards + (discounts * _target.forward(nexts).gather(1, best).squeeze(1));
        }
        _optimizer.zero_grad();
        var loss = F.smooth_l1_loss(_network.forward(states).gather(1, actions.unsqueeze(1)).squeeze(1), goals);
        loss.backward();
        nn.utils.clip_grad_norm_(_parameters, _options.GradientClipNorm!.Value);
        _optimizer.step();
        using (no_grad())
        {
            for (var i = 0; i < _targets.Length; i++)
                _targets[i].lerp_(_parameters[i], _options.TargetUpdateRate);
        }
        return loss.item<float>();
    }

    private (Tensor States, Tensor Actions, Tensor Rewards, Tensor Nexts, Tensor Discounts) Draw(int rows)
    {
        var (states, nexts) = (new float[rows * _size], new float[rows * _size]);
        var (actions, rewards, discounts) = (new long[rows], new float[rows], new float[rows]);
        for (var i = 0; i < rows; i++)
        {
            var place = _random.Next(Math.Min(_count, Capacity));
            Array.Copy(_states, place * _size, states, i * _size, _size);
            Array.Copy(_nexts, place * _size, nexts, i * _size, _size);
            (actions[i], rewards[i], discounts[i]) = (_actions[place], _rewards[place], _discounts[place]);
        }
        return (tensor(states, rows, _size), tensor(actions), tensor(rewards), tensor(nexts, rows, _size), tensor(discounts));
    }
}
