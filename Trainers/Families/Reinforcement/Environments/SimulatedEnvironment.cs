using MLExtensions.Networks;

namespace MLExtensions;

/// <summary>Base class of the environments of this library: random numbers from a seed, episodes, and a state that can be kept.</summary>
public abstract class SimulatedEnvironment : IRenderableEnvironment, ICheckpointableEnvironment
{
    private SplitMix64 _random = NewRandom(0);
    private bool _running;

    private protected SimulatedEnvironment(string name, Space observationSpace, int actions) =>
        (Name, ObservationSpace, ActionSpace) = (name, observationSpace, new DiscreteSpace(actions));

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Space ObservationSpace { get; }

    /// <inheritdoc/>
    public DiscreteSpace ActionSpace { get; }

    /// <summary>Where random numbers come from.</summary>
    private protected ref SplitMix64 Random => ref _random;

    /// <inheritdoc/>
    public EnvironmentState Reset(int? seed = null)
    {
        if (seed is { } value)
            _random = NewRandom(value);
        Begin();
        _running = true;
        return new EnvironmentState(Observe(), Mask());
    }

    /// <inheritdoc/>
    public EnvironmentStep Step(int action)
    {
        if (!_running)
            throw new InvalidOperationException($"The episode of {Name} is over or has not begun; {nameof(Reset)} comes first.");
        if (!ActionSpace.Contains(action))
            throw new ArgumentOutOfRangeException(nameof(action), action, FormattableString.Invariant($"The action of {Name} is {action}; it must be in {ActionSpace}."));
        var (reward, terminated) = Act(action);
        _running = !terminated;
        return new EnvironmentStep(Observe(), reward, terminated, false, Mask());
    }

    /// <inheritdoc/>
    public abstract RgbFrame Render();

    /// <inheritdoc/>
    public abstract string RenderText();

    /// <inheritdoc/>
    public byte[] SaveState()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(GetType().Name);
        writer.Write(_random.State);
        writer.Write(_running);
        SaveCore(writer);
        writer.Flush();
        return stream.ToArray();
    }

    /// <inheritdoc/>
    public void LoadState(ReadOnlySpan<byte> state) => EnvironmentStates.Load(state, GetType().Name, reader =>
    {
        _random.State = reader.ReadUInt64();
        _running = reader.ReadBoolean();
        LoadCore(reader);
    });

    /// <summary>Does nothing: there is nothing to free.</summary>
    public void Dispose() => GC.SuppressFinalize(this);

    /// <summary>Draws the state that an episode begins with.</summary>
    private protected abstract void Begin();

    /// <summary>Acts once.</summary>
    private protected abstract (double Reward, bool Terminated) Act(int action);

    private protected abstract ReadOnlyMemory<float> Observe();

    private protected virtual ReadOnlyMemory<bool> Mask() => default;

    private protected abstract void SaveCore(BinaryWriter writer);

    private protected abstract void LoadCore(BinaryReader reader);

    /// <summary>Begins an episode in a state that the caller has set, for tests against reference trajectories.</summary>
    private protected void Run() => _running = true;

    /// <summary>A number from <paramref name="low"/> to <paramref name="high"/>.</summary>
    private protected double Uniform(double low, double high) => low + ((high - low) * _random.NextDouble());

    private static SplitMix64 NewRandom(int seed) => new(SeedSequence.Derive(seed, SeedSequence.Environment));
}
