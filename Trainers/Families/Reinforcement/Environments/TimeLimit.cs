namespace MLExtensions;

/// <summary>Cuts episodes off after a number of steps: they are truncated, not terminated.</summary>
public sealed class TimeLimit : EnvironmentWrapper
{
    private int _steps;

    /// <summary>Wraps an environment.</summary>
    /// <param name="inner">The environment inside.</param>
    /// <param name="maximumSteps">The number of steps of the longest episode, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 1.</exception>
    public TimeLimit(IEnvironment inner, int maximumSteps)
        : base(inner)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumSteps, 1);
        MaximumSteps = maximumSteps;
    }

    /// <summary>The number of steps of the longest episode.</summary>
    public int MaximumSteps { get; }

    internal override bool KeepsModel => true;

    /// <inheritdoc/>
    public override EnvironmentState Reset(int? seed = null)
    {
        _steps = 0;
        return Inner.Reset(seed);
    }

    /// <summary>Acts once.</summary>
    /// <param name="action">The action.</param>
    /// <returns>What came of it. An episode that terminates with its last allowed step is not truncated.</returns>
    public override EnvironmentStep Step(int action)
    {
        if (_steps >= MaximumSteps)
            throw new InvalidOperationException($"The episode of {Name} is over or has not begun; {nameof(Reset)} comes first.");
        var step = Inner.Step(action);
        return ++_steps < MaximumSteps || step.Terminated ? step : step with { Truncated = true };
    }

    /// <inheritdoc/>
    protected override void SaveCore(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(_steps);
    }

    /// <inheritdoc/>
    protected override void LoadCore(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        _steps = reader.ReadInt32();
    }
}
