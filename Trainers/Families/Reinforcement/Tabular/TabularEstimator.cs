using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>Base class of the learners of numbered states.</summary>
public abstract class TabularEstimator : IEstimator<TabularPolicyTransformer>
{
    private readonly TabularOptions _options;

    private protected TabularEstimator(IHostEnvironment env, string name, TabularOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        Host = env.Register(name);
        _options = options.Snapshot();
    }

    private protected IHost Host { get; }

    /// <summary>A copy of the options.</summary>
    private protected TabularOptions Settings => _options;

    /// <summary>Learns from logged rows of state, action, reward and next state.</summary>
    /// <param name="input">The rows, in any order.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no rows; the message names it.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    public TabularPolicyTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Transformer(Learn(new TransitionLog(input, _options)));
    }

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

    /// <summary>Returns the output schema of the transformer for an input schema.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        TransitionLog.CheckSchema(inputSchema, _options);
        var columns = inputSchema.ToDictionary(column => column.Name);
        foreach (var column in _options.AddedColumns(inputSchema))
            columns[column.Name] = column;
        return new SchemaShape(columns.Values);
    }

    private protected abstract PolicyContent Learn(TransitionLog log);

    private protected abstract PolicyContent Learn(IEnvironment environment);

    /// <summary>The states or actions of an environment.</summary>
    private protected static PolicyKeys KeysOf(DiscreteSpace space) => new(space.Count, null, space.Start);

    private TabularPolicyTransformer Transformer(PolicyContent content) =>
        new(Host, content, new PolicyColumns(_options.StateColumnName, _options.OutputColumnName, _options.ActionValuesColumnName));
}
