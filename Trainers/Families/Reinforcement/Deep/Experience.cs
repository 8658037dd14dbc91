using System.Buffers.Binary;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// An agent that acts with the network as it is, keeps what it met, and draws batches from it. All that it carries from epoch to epoch is in
/// <see cref="State"/>: the replay buffer, its random numbers, the episode that is going on, and the state of the environment.
/// </summary>
internal sealed class Experience : IBatchSource<TransitionBatch>, IDisposable
{
    // A state may grow, as an episode does.
    private const int SpareBytes = 1 << 18;

    private readonly CheckedEnvironment _environment;
    private readonly DqnEstimator.Options _options;
    private readonly PolicyKeys _actions;
    private readonly ReplayBuffer _buffer;
    private readonly ReplayBatches _batches;
    private readonly SeededRandom _random;
    private readonly Action _throwIfCancelled;
    private readonly HostTensor<long> _counters;
    private readonly HostTensor<byte>? _kept;
    private readonly float[] _state;
    private readonly bool[] _mask;
    private readonly bool[] _allowed;
    private readonly int _firstAction;
    private GreedyPolicy? _policy;
    private long _steps;
    private long _copies;
    private double _return;
    private long _length;
    private bool _hasActed;

    /// <param name="environment">The environment. It is not disposed.</param>
    /// <param name="design">What is learned.</param>
    /// <param name="options">The options.</param>
    /// <param name="seed">The seed of the environment and of the agent.</param>
    /// <param name="throwIfCancelled">Called before each step.</param>
    /// <exception cref="ArgumentException">There are to be checkpoints, but the environment cannot keep its state.</exception>
    public Experience(CheckedEnvironment environment, DqnDesign design, DqnEstimator.Options options, int seed, Action throwIfCancelled)
    {
        if (options.CheckpointFolder != null && !environment.CanSaveState)
            throw new ArgumentException($"{nameof(options.CheckpointFolder)} is set, but {environment.Name} cannot keep its state: it is no {nameof(ICheckpointableEnvironment)}, or wraps one that is none. Leave checkpoints out, or implement the interface.", nameof(options.CheckpointFolder));
        (_environment, _options, _actions, _throwIfCancelled) = (environment, options, design.Actions, throwIfCancelled);
        _random = new SeededRandom(SeedSequence.Derive(seed, SeedSequence.Exploration));
        _firstAction = environment.ActionSpace.Start;
        (_state, _mask, _allowed) = (new float[design.Replay.StateSize], new bool[_actions.Count], new bool[_actions.Count]);
        var start = environment.Reset(seed);
        _buffer = new ReplayBuffer(design.Replay, options.ReplayCapacity, environment.Name);
        _batches = new ReplayBatches(_buffer, options, isShared: false);
        _counters = new HostTensor<long>(Counters);
        try
        {
            _buffer.Begin(start.Observation.Span, Places(start.ActionMask.Span));
            if (options.CheckpointFolder != null)
                _kept = new HostTensor<byte>(((2L * environment.SaveState().Length / SpareBytes) + 2) * SpareBytes); // the same on all ranks
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private const int Counters = 6;

    public long RowCount => (long)BatchCount * _options.BatchSize;

    /// <summary>The number of batches of an epoch, on average if intervals do not fit into it, at least those of one training.</summary>
    public int BatchCount => (int)Math.Min(int.MaxValue, Math.Max(1, (long)_options.StepsPerEpoch / _options.TrainingInterval) * _options.GradientSteps);

    public Share Share => Distributed.ShareOf(_options.Distributed);

    /// <summary>Each rank is an agent of its own.</summary>
    public bool HasStateOfEachRank => true;

    /// <summary>The episodes that ended in this epoch, and how they went.</summary>
    public EpisodeSums Episodes { get; } = new();

    /// <summary>The probability of a random action.</summary>
    public double Epsilon => _options.Epsilon(Done);

    /// <remarks>Loading overwrites these tensors; <see cref="Resume"/> sees it.</remarks>
    public IReadOnlyList<(string Name, Tensor Value)> State
    {
        get
        {
            long[] values = [_steps, _copies, BitConverter.DoubleToInt64Bits(_return), _length, unchecked((long)_random.State), BitConverter.SingleToInt32Bits(_buffer.NewPriority)];
            values.CopyTo(_counters.Values);
            if (_kept != null)
                Keep(_environment.SaveState(), _kept.Values);
            return [.. _buffer.State, ("counters", _counters.Tensor), .. _kept == null ? [] : new[] { ("environment", _kept.Tensor) }];
        }
    }

    private double Done => _steps / ((double)_options.Epochs * _options.StepsPerEpoch);

    /// <summary>Gives the agent the network that it acts with.</summary>
    public void Follow(GreedyPolicy policy) => _policy = policy;

    public IEnumerable<TransitionBatch> ReadEpoch(int epoch)
    {
        Resume();
        Episodes.Clear();
        for (var step = 0; step < _options.StepsPerEpoch; step++)
        {
            _throwIfCancelled(); // at each step: some environments take long
            Act();
            if (_steps < _options.LearningStarts || _steps % _options.TrainingInterval != 0)
                continue;
            for (var i = 0; i < _options.GradientSteps; i++)
            {
                var copies = _options.TargetUpdateInterval is { } interval ? _steps / interval : 0;
                var batch = _batches.Draw(_random, _options.ReturnSteps, Done, (double)step / _options.StepsPerEpoch, copies > _copies);
                if (!AllHave(batch) || batch == null)
                    break;
                _copies = copies;
                yield return batch;
            }
        }
    }

    /// <summary>Runs something in the environment of the agent, which afterwards is as it was.</summary>
    public void Interrupt(Action<CheckedEnvironment> action)
    {
        Resume();
        var state = _environment.SaveState();
        action(_environment);
        _environment.LoadState(state);
    }

    public void Dispose()
    {
        _batches.Dispose();
        _buffer.Dispose();
        _counters.Dispose();
        _kept?.Dispose();
    }

    /// <summary>Whether all ranks have a batch: one that has none must not leave the others waiting.</summary>
    private bool AllHave(TransitionBatch? batch)
    {
        if (_options.Distributed?.Group is not { } group)
            return batch != null;
        Span<double> missing = [batch == null ? 1 : 0];
        group.Sum(missing);
        return missing[0] == 0;
    }

    private void Act()
    {
        _buffer.CopyLast(_state, _mask);
        // Without values, all allowed actions are as good.
        var allowed = _mask.AsSpan().Contains(false) ? Numbers() : [];
        var action = _random.NextDouble() < Epsilon
            ? _actions.NumberOf(GreedyChoice.Choose([], _actions.Count, allowed, _actions, _random))
            : _policy!.Value.Act(_state, allowed, _random);
        var step = _environment.Step(action);
        if (!float.IsFinite((float)step.Reward))
            throw new FormatException(FormattableString.Invariant($"{_environment.Where}: the reward is {step.Reward}; a network computes with float32, whose greatest number is {float.MaxValue}. Divide rewards, or put a {nameof(RewardClip)} around the environment."));
        _buffer.Add(_actions.PlaceOf(action), step.Reward, step.Terminated, step.Truncated, step.Observation.Span, Places(step.ActionMask.Span));
        (_steps, _return, _length, _hasActed) = (_steps + 1, _return + step.Reward, _length + 1, true);
        if (!step.IsEnd)
            return;
        Episodes.Add(_return, _length);
        (_return, _length) = (0, 0);
        var start = _environment.Reset();
        _buffer.Begin(start.Observation.Span, Places(start.ActionMask.Span));
    }

    /// <summary>A mask of the environment in the order of the network's outputs.</summary>
    private ReadOnlySpan<bool> Places(ReadOnlySpan<bool> mask)
    {
        if (mask.IsEmpty)
            return [];
        for (var place = 0; place < _allowed.Length; place++)
            _allowed[place] = mask[_actions.NumberOf(place) - _firstAction];
        return _allowed;
    }

    /// <summary>The mask of the last observation in the order of the environment.</summary>
    private ReadOnlySpan<bool> Numbers()
    {
        for (var place = 0; place < _allowed.Length; place++)
            _allowed[_actions.NumberOf(place) - _firstAction] = _mask[place];
        return _allowed;
    }

    /// <summary>Goes on where a checkpoint was made, if one was loaded.</summary>
    private void Resume()
    {
        if (_hasActed || _kept == null)
            return;
        var values = _counters.Values;
        if (values[0] == 0)
            return;
        (_steps, _copies, _return, _length, _hasActed) = (values[0], values[1], BitConverter.Int64BitsToDouble(values[2]), values[3], true);
        _random.State = unchecked((ulong)values[4]);
        _buffer.NewPriority = BitConverter.Int32BitsToSingle((int)values[5]);
        _buffer.Priorities?.Rebuild();
        var length = BinaryPrimitives.ReadInt32LittleEndian(_kept.Values);
        _environment.LoadState(_kept.Values.Slice(sizeof(int), Math.Clamp(length, 0, (int)_kept.Length - sizeof(int))));
    }

    private void Keep(byte[] state, Span<byte> destination)
    {
        if (state.Length > destination.Length - sizeof(int))
            throw new InvalidOperationException(FormattableString.Invariant($"The state of {_environment.Name} has {state.Length} bytes; at the beginning it had so few that a checkpoint has room for {destination.Length - sizeof(int)}."));
        destination.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(destination, state.Length);
        state.CopyTo(destination[sizeof(int)..]);
    }
}

/// <summary>Sums over episodes.</summary>
internal sealed class EpisodeSums
{
    private double _returns;
    private long _lengths;

    public long Count { get; private set; }

    public double MeanReturn => _returns / Count;

    public double MeanLength => (double)_lengths / Count;

    public void Add(double sum, long length) => (_returns, _lengths, Count) = (_returns + sum, _lengths + length, Count + 1);

    public void Clear() => (_returns, _lengths, Count) = (0, 0, 0);

    /// <summary>Adds the episodes of all ranks.</summary>
    public void Add(ProcessGroup? group)
    {
        double[] sums = [_returns, _lengths, Count];
        group?.Sum(sums.AsSpan());
        (_returns, _lengths, Count) = (sums[0], (long)sums[1], (long)sums[2]);
    }
}
