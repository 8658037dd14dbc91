using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// Several copies of an environment that are stepped together. An episode that is over is followed by the next one in the same step.
/// </summary>
public sealed class VectorEnvironment : IDisposable
{
    private const int MaximumCopies = 1 << 20;

    private readonly CheckedEnvironment[] _copies;
    private readonly bool _inParallel;
    private readonly float[] _observations;
    private readonly float[] _finalObservations;
    private readonly double[] _rewards;
    private readonly bool[] _terminated;
    private readonly bool[] _truncated;
    private readonly bool[] _masks;
    private bool _hasMasks;
    private bool _running;

    /// <summary>Makes copies.</summary>
    /// <param name="create">Makes a new environment, given its number from 0. All have the same spaces.</param>
    /// <param name="count">The number of copies, at least 1.</param>
    /// <param name="inParallel">
    /// Whether they are stepped on several threads, which pays for slow environments such as other processes. The results are the same.
    /// Default false.
    /// </param>
    /// <exception cref="ArgumentException">The spaces differ, two copies are the same environment, or the number is out of range.</exception>
    public VectorEnvironment(Func<int, IEnvironment> create, int count, bool inParallel = false)
    {
        ArgumentNullException.ThrowIfNull(create);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaximumCopies);
        _inParallel = inParallel;
        _copies = new CheckedEnvironment[count];
        try
        {
            var known = new Dictionary<IEnvironment, int>(ReferenceEqualityComparer.Instance);
            for (var i = 0; i < count; i++)
            {
                var made = create(i) ?? throw new ArgumentException(FormattableString.Invariant($"Copy {i} is null; an environment must be made for each."), nameof(create));
                var inner = EnvironmentWrapper.InnermostOf(made);
                if (!known.TryAdd(inner, i))
                    throw new ArgumentException(FormattableString.Invariant($"Copies {known[inner]} and {i} are the same {inner.Name}; a new environment must be made for each, as in i => EnvironmentRegistry.Make(name)."), nameof(create));
                _copies[i] = new CheckedEnvironment(made, i);
                if (!_copies[i].ObservationSpace.Equals(_copies[0].ObservationSpace) || _copies[i].ActionSpace != _copies[0].ActionSpace)
                    throw new ArgumentException(FormattableString.Invariant($"Copy {i} has {_copies[i].ObservationSpace} and actions {_copies[i].ActionSpace}, copy 0 {ObservationSpace} and {ActionSpace}; they must be the same."), nameof(create));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        var size = ObservationSpace.Size;
        if (Math.Max((long)count * size, (long)count * ActionSpace.Count) > Array.MaxLength)
        {
            Dispose();
            throw new ArgumentException(FormattableString.Invariant($"{count} copies of {size} values and {ActionSpace.Count} actions are more than the {Array.MaxLength} values that an array holds; make fewer."), nameof(count));
        }
        (_observations, _finalObservations) = (new float[count * size], new float[count * size]);
        (_rewards, _terminated, _truncated, _masks) = (new double[count], new bool[count], new bool[count], new bool[count * ActionSpace.Count]);
    }

    /// <summary>The number of copies.</summary>
    public int Count => _copies.Length;

    /// <summary>What observations of one copy can be.</summary>
    public Space ObservationSpace => _copies[0].ObservationSpace;

    /// <summary>What actions of one copy can be.</summary>
    public DiscreteSpace ActionSpace => _copies[0].ActionSpace;

    /// <summary>Begins an episode in all copies.</summary>
    /// <param name="seed">The seed of the first copy; the others have the seeds that follow it. Null: as of one environment.</param>
    /// <returns>The observations, one after the other, and the masks, if there are any. The memory is valid until the next call.</returns>
    public EnvironmentState Reset(int? seed = null)
    {
        _hasMasks = false;
        ForEach(i =>
        {
            // Copies that never had a seed would all play the same.
            var state = _copies[i].Reset(seed is { } value ? unchecked(value + i) : _running ? null : i);
            Show(i, state.Observation.Span, state.ActionMask.Span);
        });
        _running = true;
        return new EnvironmentState(_observations, _hasMasks ? _masks : default);
    }

    /// <summary>Acts once in each copy.</summary>
    /// <param name="actions">An action per copy.</param>
    /// <returns>What came of them. The memory is valid until the next call.</returns>
    /// <exception cref="ArgumentException">There are too few or too many actions, or one does not exist.</exception>
    public VectorStep Step(ReadOnlySpan<int> actions)
    {
        if (actions.Length != Count)
            throw new ArgumentException(FormattableString.Invariant($"There are {actions.Length} actions for {Count} environments."), nameof(actions));
        var chosen = actions.ToArray();
        ForEach(i =>
        {
            var step = _copies[i].Step(chosen[i]);
            (_rewards[i], _terminated[i], _truncated[i]) = (step.Reward, step.Terminated, step.Truncated);
            var size = ObservationSpace.Size;
            step.Observation.Span.CopyTo(_finalObservations.AsSpan(i * size));
            if (step.IsEnd)
            {
                var next = _copies[i].Reset();
                Show(i, next.Observation.Span, next.ActionMask.Span);
            }
            else
            {
                Show(i, step.Observation.Span, step.ActionMask.Span);
            }
        });
        return new VectorStep(_observations, _rewards, _terminated, _truncated, _finalObservations, _hasMasks ? _masks : default);
    }

    /// <summary>All that what comes next depends on.</summary>
    /// <exception cref="NotSupportedException">The state of a copy cannot be kept.</exception>
    public byte[] SaveState()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(nameof(VectorEnvironment));
        writer.Write(_running);
        writer.Write(Count);
        foreach (var copy in _copies)
        {
            var state = copy.SaveState();
            writer.Write(state.Length);
            writer.Write(state);
        }
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>Puts back a state of as many copies of the same environment.</summary>
    /// <param name="state">What <see cref="SaveState"/> returned.</param>
    /// <exception cref="FormatException">The state is of other environments, or damaged.</exception>
    public void LoadState(ReadOnlySpan<byte> state) => EnvironmentStates.Load(state, nameof(VectorEnvironment), reader =>
    {
        _running = reader.ReadBoolean();
        if (reader.ReadInt32() is var count && count != Count)
            throw new FormatException(FormattableString.Invariant($"The state is that of {count} environments; there are {Count}."));
        foreach (var copy in _copies)
            copy.LoadState(reader.ReadBytes(Math.Max(0, reader.ReadInt32())));
    });

    /// <summary>Disposes all copies.</summary>
    public void Dispose()
    {
        foreach (var copy in _copies)
            copy?.Dispose();
    }

    private void Show(int i, ReadOnlySpan<float> observation, ReadOnlySpan<bool> mask)
    {
        observation.CopyTo(_observations.AsSpan(i * ObservationSpace.Size));
        var masks = _masks.AsSpan(i * ActionSpace.Count, ActionSpace.Count);
        if (mask.IsEmpty)
        {
            masks.Fill(true);
            return;
        }
        _hasMasks = true;
        mask.CopyTo(masks);
    }

    private void ForEach(Action<int> step)
    {
        if (!_inParallel)
        {
            for (var i = 0; i < Count; i++)
                step(i);
            return;
        }
        try
        {
            Parallel.For(0, Count, step);
        }
        catch (AggregateException e)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }
}

/// <summary>What came of an action in each of several environments, one after the other.</summary>
/// <param name="Observations">
/// The observations that the next actions depend on: where an episode is over, the first one of the next episode.
/// </param>
/// <param name="Rewards">The rewards.</param>
/// <param name="Terminated">Which episodes have come to their end.</param>
/// <param name="Truncated">Which episodes were cut off.</param>
/// <param name="FinalObservations">The observations that the actions led to: where an episode is over, the last one of it.</param>
/// <param name="ActionMasks">Which actions are allowed next; empty if all are.</param>
public readonly record struct VectorStep(
    ReadOnlyMemory<float> Observations,
    ReadOnlyMemory<double> Rewards,
    ReadOnlyMemory<bool> Terminated,
    ReadOnlyMemory<bool> Truncated,
    ReadOnlyMemory<float> FinalObservations,
    ReadOnlyMemory<bool> ActionMasks = default);
