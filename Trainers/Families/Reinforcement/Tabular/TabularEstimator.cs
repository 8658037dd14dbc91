using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>Base class of the learners of numbered states.</summary>
public abstract class TabularEstimator : ManagedEstimator<TabularPolicyTransformer>
{
    private readonly TabularOptions _options;

    private protected TabularEstimator(IHostEnvironment env, string name, TabularOptions options)
        : base(env, name)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options.Snapshot();
    }

    /// <summary>A copy of the options.</summary>
    private protected TabularOptions Settings => _options;

    /// <summary>Learns from an environment of numbered states.</summary>
    /// <param name="environment">The environment. It is not disposed.</param>
    /// <exception cref="ArgumentException">The environment does not suit the learner; the message says why.</exception>
    /// <exception cref="FormatException">The environment shows what it must not; the message names episode and step, or state and action.</exception>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    public TabularPolicyTransformer Fit(IEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        if (environment.ObservationSpace == null)
            throw new ArgumentException($"The environment {environment.Name} has no observation space.", nameof(environment));
        if (environment.ObservationSpace is not DiscreteSpace)
            throw new ArgumentException($"The observations of {environment.Name} are {environment.ObservationSpace}; a table needs a {nameof(DiscreteSpace)}: numbered states.", nameof(environment));
        if (environment.ActionSpace == null)
            throw new ArgumentException($"The environment {environment.Name} has no action space.", nameof(environment));
        return Transformer(Learn(environment));
    }

    private protected override void CheckSchema(SchemaShape schema) => TransitionLog.CheckSchema(schema, _options);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input) => _options.AddedColumns(input);

    private protected override TabularPolicyTransformer FitChecked(IDataView input) => Transformer(Learn(new TransitionLog(input, _options)));

    private protected abstract PolicyContent Learn(TransitionLog log);

    private protected abstract PolicyContent Learn(IEnvironment environment);

    /// <summary>The states or actions of an environment.</summary>
    private protected static PolicyKeys KeysOf(DiscreteSpace space) => new(space.Count, null, space.Start);

    private TabularPolicyTransformer Transformer(PolicyContent content) =>
        new(Host, content, new PolicyColumns(_options.StateColumnName, _options.OutputColumnName, _options.ActionValuesColumnName));
}
