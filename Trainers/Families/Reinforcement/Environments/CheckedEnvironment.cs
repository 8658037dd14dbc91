namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// What every learner puts around the environment that it is given: what it shows is checked, and an error says which environment, episode
/// and step it was.
/// </summary>
internal sealed class CheckedEnvironment : EnvironmentWrapper
{
    private readonly Space _observations;
    private readonly DiscreteSpace _actions;
    private long _episode;
    private long _step;
    private readonly int? _copy;
    private bool _running;

    /// <param name="inner">The environment inside.</param>
    /// <param name="copy">Its number among copies that are stepped together, which errors name; null of one environment.</param>
    public CheckedEnvironment(IEnvironment inner, int? copy = null)
        : base(inner)
    {
        _copy = copy;
        _observations = inner.ObservationSpace ?? throw new ArgumentException($"The environment {inner.Name} has no observation space.", nameof(inner));
        _actions = inner.ActionSpace ?? throw new ArgumentException($"The environment {inner.Name} has no action space.", nameof(inner));
    }

    /// <summary>Wraps an environment that is not wrapped already.</summary>
    public static CheckedEnvironment Around(IEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        return environment as CheckedEnvironment ?? new CheckedEnvironment(environment);
    }

    public override Space ObservationSpace => _observations;

    public override DiscreteSpace ActionSpace => _actions;

    internal override bool KeepsModel => true;

    public override EnvironmentState Reset(int? seed = null)
    {
        _episode++;
        _step = 0;
        EnvironmentState state;
        try
        {
            state = Inner.Reset(seed);
        }
        catch (Exception e) when (_copy != null && e is not OperationCanceledException)
        {
            throw OfCopy(e);
        }
        _running = true;
        Check(state.Observation.Span);
        Check(state.ActionMask.Span, needsAction: true);
        return state;
    }

    public override EnvironmentStep Step(int action)
    {
        if (!_running)
            throw new InvalidOperationException($"{Where}: the episode {(_episode == 0 ? "has not begun" : "is over")}; {nameof(Reset)} comes before {nameof(Step)}.");
        if (!_actions.Contains(action))
            throw new ArgumentOutOfRangeException(nameof(action), action, FormattableString.Invariant($"{Where}: the action is {action}; it must be in {_actions}."));
        _step++;
        EnvironmentStep step;
        try
        {
            step = Inner.Step(action);
        }
        catch (Exception e) when (_copy != null && e is not OperationCanceledException)
        {
            throw OfCopy(e);
        }
        _running = !step.IsEnd;
        Check(step.Observation.Span);
        if (!double.IsFinite(step.Reward))
            throw new FormatException(FormattableString.Invariant($"{Where}: the reward is {step.Reward}; it must be finite."));
        Check(step.ActionMask.Span, needsAction: _running || !step.Terminated);
        return step;
    }

    protected override void SaveCore(BinaryWriter writer)
    {
        writer.Write(_episode);
        writer.Write(_step);
        writer.Write(_running);
    }

    protected override void LoadCore(BinaryReader reader)
    {
        _episode = reader.ReadInt64();
        _step = reader.ReadInt64();
        _running = reader.ReadBoolean();
    }

    /// <summary>Environment, episode and step, for messages.</summary>
    public string Where => FormattableString.Invariant($"{Inner.Name}{(_copy is { } copy ? FormattableString.Invariant($", copy {copy}") : "")}, episode {_episode}, step {_step}");

    /// <summary>What an environment itself throws does not say which copy it is.</summary>
    private Exception OfCopy(Exception e)
    {
        var message = $"{Where}: {e.Message}";
        return e switch
        {
            FormatException => new FormatException(message, e),
            TimeoutException => new TimeoutException(message, e),
            IOException => new IOException(message, e),
            ArgumentException => new ArgumentException(message, e),
            _ => new InvalidOperationException(message, e),
        };
    }

    private void Check(ReadOnlySpan<float> observation)
    {
        if (observation.Length != _observations.Size)
            throw new FormatException(FormattableString.Invariant($"{Where}: the observation has {observation.Length} values; the observation space has {_observations.Size}."));
        if (_observations.FirstOutside(observation) is var place && place >= 0)
            throw new FormatException(FormattableString.Invariant($"{Where}: value {place} of the observation is {observation[place]}; it must be {_observations.AllowedAt(place)}."));
    }

    private void Check(ReadOnlySpan<bool> mask, bool needsAction)
    {
        if (mask.IsEmpty)
            return;
        if (mask.Length != _actions.Count)
            throw new FormatException(FormattableString.Invariant($"{Where}: the mask has {mask.Length} values; there are {_actions.Count} actions."));
        if (needsAction && !mask.Contains(true))
            throw new FormatException($"{Where}: the mask allows no action.");
    }
}
