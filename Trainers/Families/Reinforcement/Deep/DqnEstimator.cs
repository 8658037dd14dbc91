using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Reinforcement;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Learns the values of actions with a network (deep Q-learning): by acting in an environment, or from logged rows. Mnih et al., "Human-level
/// control through deep reinforcement learning", 2015.
/// </summary>
/// <remarks>
/// <para>
/// In an environment, a random action is taken with probability epsilon, which falls along a line; otherwise the best one. Steps are kept in a
/// replay buffer, and training steps draw from it. Masks of the environment are obeyed. Episodes that are cut off are learned from as if they
/// went on; those that terminate have no future. The history has the <c>loss</c>, the mean <c>value</c> of the actions that were drawn,
/// <c>epsilon</c>, and of the episodes that ended in an epoch <c>episodes</c>, <c>return</c> and <c>length</c>; under validation, <c>return</c>
/// and <c>length</c> of episodes without random actions. The best epoch and early stopping follow that return. The loss says little: it rises
/// when values do.
/// </para>
/// <para>
/// From logged rows the network learns not to believe in what was not tried (<see cref="Options.ConservativeWeight"/>), or to do what the log
/// does (<see cref="Options.LogLearning"/>). <c>Fit(rows, validationRows)</c> measures held-out episodes after each epoch: the <c>loss</c>, the
/// <c>error</c> of values (the root of the mean squared temporal difference), and <c>agreement</c>, the share of rows whose action is the best
/// one to the network. They do not say how well the policy does. A model that was learned from rows can go on in an environment, and the other way round:
/// <see cref="TrainingOptions.InitialModel"/>. The same seed, computer and number of threads give the same weights.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Reinforcement learning, in an environment or from logged rows</description></item>
/// <item><term>Is normalization required?</term><description>Values of about -10 to 10 are best; pixels are divided by 255.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read twice, to count it and into memory.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes</description></item>
/// </list>
/// </remarks>
public sealed partial class DqnEstimator : NetworkEstimator<DqnTransformer>
{
    private readonly Options _options;
    private readonly FollowedPolicy? _policy;

    /// <param name="env">The host environment.</param>
    /// <param name="options">The options.</param>
    /// <param name="policy">The policy whose values are learned from logged rows; null to learn those of the best one.</param>
    internal DqnEstimator(IHostEnvironment env, Options options, FollowedPolicy? policy = null)
        : base(env, nameof(DqnEstimator), options) => (_options, _policy) = ((Options)Settings, policy);

    /// <summary>Learns in an environment. Evaluation episodes are played in it, too, if its state can be kept meanwhile.</summary>
    /// <param name="environment">The environment. It is not disposed.</param>
    /// <exception cref="ArgumentException">The environment does not fit an option; the message names it.</exception>
    /// <exception cref="FormatException">The environment shows what it must not; the message names episode and step.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    public DqnTransformer Fit(IEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        return Learn(environment, null);
    }

    /// <summary>Learns in an environment, and plays the evaluation episodes in another one of the same kind.</summary>
    /// <param name="environment">The environment. It is not disposed.</param>
    /// <param name="evaluationEnvironment">The environment of the evaluations. It is not disposed.</param>
    /// <inheritdoc cref="Fit(IEnvironment)" path="/exception"/>
    public DqnTransformer Fit(IEnvironment environment, IEnvironment evaluationEnvironment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        ArgumentNullException.ThrowIfNull(evaluationEnvironment);
        if (!environment.ObservationSpace.Equals(evaluationEnvironment.ObservationSpace) || !environment.ActionSpace.Equals(evaluationEnvironment.ActionSpace))
            throw new ArgumentException($"The observations of {evaluationEnvironment.Name} are {evaluationEnvironment.ObservationSpace} and its actions {evaluationEnvironment.ActionSpace}; those of {environment.Name} are {environment.ObservationSpace} and {environment.ActionSpace}. They must be the same.", nameof(evaluationEnvironment));
        if (ReferenceEquals(EnvironmentWrapper.InnermostOf(environment), EnvironmentWrapper.InnermostOf(evaluationEnvironment)))
            throw new ArgumentException($"{evaluationEnvironment.Name} is the environment of the training itself, whose episodes the evaluations would end. Make another one, or leave it out: evaluations take the first one if its state can be kept.", nameof(evaluationEnvironment));
        return Learn(environment, evaluationEnvironment);
    }

    private protected override void CheckSchema(SchemaShape schema)
    {
        if (_options.EarlyStopping != null && _options.LogLearning != LogLearning.Cloning)
            throw new ArgumentException($"{nameof(_options.EarlyStopping)} is set, but errors of values on held-out rows do not say which policy is best. From logged rows it must be null, unless {nameof(_options.LogLearning)} is {nameof(LogLearning.Cloning)}; in an environment it follows the return.", nameof(_options.EarlyStopping));
        DqnLog.CheckSchema(schema, _options);
    }

    private protected override IEnumerable<SchemaShape.Column> AddedColumns() => _options.AddedColumns(null);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input) => _options.AddedColumns(input);

    private protected override DqnTransformer Train(IDataView input, IDataView? validation)
    {
        var design = DqnDesign.Of(_options, input);
        if (validation != null)
            ValidationData.Check(() => design.CheckSize(DqnDesign.Of(_options, validation), _options.StateColumnName));
        return Create(new DqnTraining(Host, _options, Seed, design, _policy).Run(input, validation), design);
    }

    private DqnTransformer Learn(IEnvironment environment, IEnvironment? second)
    {
        if (_options.EarlyStopping != null && _options.EvaluationEpisodes == 0)
            throw new ArgumentException($"{nameof(_options.EarlyStopping)} needs evaluations, but {nameof(_options.EvaluationEpisodes)} is 0; set their number.", nameof(_options.EarlyStopping));
        return Distributed.Run(_options.Distributed, GetType().Name, () =>
        {
            var watched = CheckedEnvironment.Around(environment);
            var design = DqnDesign.Of(_options, watched);
            _options.CheckLearns(design.Replay.FrameCount);
            var training = new DqnTraining(Host, _options, Seed, design, watched, second == null ? null : CheckedEnvironment.Around(second));
            return Create(training.Run(), design);
        });
    }

    private DqnTransformer Create(NetworkModelParameters model, DqnDesign design) => new(Host, model, _options.Columns, design.Actions);
}
