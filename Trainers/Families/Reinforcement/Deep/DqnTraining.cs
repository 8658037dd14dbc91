using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Reinforcement;

/// <summary>One training of a deep Q-network, in an environment or from logged rows.</summary>
internal sealed class DqnTraining : NetworkTraining<TransitionBatch>
{
    // Far from the seeds that people use, so that the policy is not asked about episodes that it met in training.
    private const int EvaluationSeed = 0x5EED_0000;

    private readonly IHost _host;
    private readonly DqnEstimator.Options _options;
    private readonly DqnDesign _design;
    private readonly CheckedEnvironment? _environment;
    private readonly CheckedEnvironment? _second;
    private readonly FollowedPolicy? _policy;
    private Experience? _experience;
    private TrainingSession? _session;

    /// <summary>Learns from logged rows.</summary>
    /// <param name="host">The host.</param>
    /// <param name="options">The options.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="design">What is learned.</param>
    /// <param name="policy">The policy whose values are learned; null to learn those of the best one.</param>
    public DqnTraining(IHost host, DqnEstimator.Options options, int seed, DqnDesign design, FollowedPolicy? policy)
        : base(host, options, seed) => (_host, _options, _design, _policy) = (host, options, design, policy);

    /// <summary>Learns in an environment.</summary>
    /// <param name="host">The host.</param>
    /// <param name="options">The options.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="design">What is learned.</param>
    /// <param name="environment">The environment.</param>
    /// <param name="second">The environment of evaluations; null to use the first.</param>
    public DqnTraining(IHost host, DqnEstimator.Options options, int seed, DqnDesign design, CheckedEnvironment environment, CheckedEnvironment? second)
        : this(host, options, seed, design, policy: null) => (_environment, _second) = (environment, second);

    /// <summary>Learns in the environment.</summary>
    public NetworkModelParameters Run() => Run(new EmptyDataView(_host, new DataViewSchema.Builder().ToSchema()), null);

    /// <summary>Losses of values do not say which epoch is best; returns do, and so do losses of predicted actions.</summary>
    private protected override TrainingGoal? Goal => CanEvaluate ? new TrainingGoal("return", GoalDirection.Maximize)
        : _environment == null && _options.LogLearning == LogLearning.Cloning ? TrainingGoal.LeastLoss : null;

    private bool CanEvaluate => _environment != null && _options.EvaluationEpisodes > 0 && (_second != null || _environment.CanSaveState);

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        _session = session;
        if (_environment == null || _options.EvaluationEpisodes == 0 || CanEvaluate)
            return _design.Architecture;
        var reason = $"{_environment.Name} cannot keep its state while the policy is evaluated in it: it is no {nameof(ICheckpointableEnvironment)}. Fit(environment, evaluationEnvironment) takes a second one";
        if (_options.EarlyStopping != null)
            throw new ArgumentException($"{nameof(_options.EarlyStopping)} needs evaluations, but {reason}.", nameof(_options.EarlyStopping));
        session.Warn($"The policy is not evaluated after epochs: {reason}; or set {nameof(_options.EvaluationEpisodes)} = 0.");
        return _design.Architecture;
    }

    private protected override TrainingData<TransitionBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        if (_environment == null)
            return OpenLog(input, validation, session);
        var (bytes, ofBatch) = (_design.Replay.Bytes(_options.ReplayCapacity), _design.Replay.BatchBytes(_options.RowsOfRank));
        if (bytes + ofBatch > MachineMemory.Available)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(_options.ReplayCapacity)} is {_options.ReplayCapacity}: the replay buffer of {_environment.Name} would take {MachineMemory.Text(bytes)}, and {nameof(_options.BatchSize)} = {_options.BatchSize} besides {MachineMemory.Text(ofBatch)}; this process can have {MachineMemory.Text(MachineMemory.Available)}. Make it smaller{(_design.Replay.Storage == ReplayStorage.Single ? $", or set {nameof(_options.ReplayStorage)} = {ReplayStorage.Byte} for whole numbers from 0 to 255" : "")}."), nameof(_options.ReplayCapacity));
        session.Say(FormattableString.Invariant($"The replay buffer holds {_options.ReplayCapacity:#,0} steps in {MachineMemory.Text(bytes)}."));
        _experience = new Experience(_environment, _design, _options, Distributed.SeedOf(_options.Distributed, Seed), session.ThrowIfCancelled);
        var evaluation = CanEvaluate ? new OneEvaluation() : null;
        return new TrainingData<TransitionBatch>(_experience, evaluation, head: null, _experience);
    }

    private protected override TrainingStep<TransitionBatch> CreateStep(TrainedNetwork network, TrainingData<TransitionBatch> data)
    {
        var target = CreateTarget(network);
        try
        {
            Action<Action<CheckedEnvironment>> use = _second == null ? action => _experience!.Interrupt(action) : action => action(_second);
            var evaluation = CanEvaluate ? new EpochEvaluation(_options.EvaluationEpisodes, _options.EvaluationMaximumSteps, unchecked(Seed + EvaluationSeed), use) : null;
            return new DqnStep(network, target, _options, _design.Actions, _experience, evaluation, _session!.ThrowIfCancelled);
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }

    private protected override IReadOnlyDictionary<string, string>? Fingerprint(TrainingData<TransitionBatch> data) => _environment == null
        ? null
        : new Dictionary<string, string> { ["number of actors"] = FormattableString.Invariant($"{_options.Distributed?.WorldSize ?? 1}"), ["environment"] = $"{Describe(_environment.Inner)}, {_environment.ObservationSpace}, {_environment.ActionSpace}" };

    /// <summary>An environment with all its wrappers.</summary>
    private static string Describe(IEnvironment environment) => environment switch
    {
        TimeLimit limit => FormattableString.Invariant($"{nameof(TimeLimit)} {limit.MaximumSteps} of {Describe(limit.Inner)}"),
        RewardClip clip => FormattableString.Invariant($"{nameof(RewardClip)} {clip.Least} to {clip.Greatest} of {Describe(clip.Inner)}"),
        EnvironmentWrapper wrapper => $"{wrapper.GetType().Name} of {Describe(wrapper.Inner)}",
        _ => environment.Name,
    };

    private TrainingData<TransitionBatch> OpenLog(IDataView input, IDataView? validation, TrainingSession session)
    {
        var steps = _options.EpisodeColumnName == null ? 1 : _options.ReturnSteps;
        var (buffer, rows) = Read(input, TrainingSession.TrainingData, session);
        var batches = new LogBatches(buffer, rows, ChecksumOf(buffer), _options, steps, Seed);
        if (validation == null)
            return new TrainingData<TransitionBatch>(batches, null, head: null, batches);
        try
        {
            ReplayBuffer? held = null;
            ValidationData.Check(() => held = ValidationData.Read(() => Read(validation, TrainingSession.ValidationData, session).Buffer));
            var heldOut = new HeldOutBatches(held!, ChecksumOf(held!), _options, steps);
            return new TrainingData<TransitionBatch>(batches, heldOut, head: null, batches, heldOut);
        }
        catch
        {
            batches.Dispose();
            throw;
        }
    }

    private (ReplayBuffer Buffer, long Rows) Read(IDataView data, string name, TrainingSession session)
    {
        var log = new DqnLog(data, _options, _design, _policy);
        var buffer = log.Read();
        session.Say(FormattableString.Invariant($"{log.Rows:#,0} logged transitions of the {name} are held in {MachineMemory.Text(_design.Replay.Bytes(buffer.Count))}."));
        session.Report(log.Counts, name, log.Note is { } note ? [new DataNote(note, IsWarning: true)] : []);
        return (buffer, log.Rows);
    }

    private string ChecksumOf(ReplayBuffer buffer) => !_options.NeedsChecksum
        ? "not computed"
        : WeightChecksum.Of(buffer.State.Where(entry => entry.Name != "priorities").Select(entry => entry.Value));

    /// <summary>A copy of the network that is only ever moved towards it, so that an optimizer without states will do.</summary>
    private TrainedNetwork CreateTarget(TrainedNetwork network)
    {
        var module = network.Export();
        try
        {
            return new TrainedNetwork("target", _design.Architecture, module, _options.Optimization with { Optimizer = new SgdOptimizer(), AverageDecay = null }, Seed, network.Device);
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }

    /// <summary>One evaluation per epoch.</summary>
    private sealed class OneEvaluation : IBatchSource<TransitionBatch>
    {
        public long RowCount => 1;

        public int BatchCount => 1;

        public IEnumerable<TransitionBatch> ReadEpoch(int epoch) => [new TransitionBatch(1, 0, null)];
    }
}
