using Microsoft.ML.Runtime;
using MLExtensions.Families.Reinforcement;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>How the optimum of a Markov decision process is computed.</summary>
public enum MarkovSolverKind
{
    /// <summary>Bellman's value iteration: sweeps over all states until values do not change anymore.</summary>
    ValueIteration,

    /// <summary>
    /// Howard's policy iteration: evaluates a policy, improves it, and so on until it does not change anymore. It needs few improvements, and
    /// a discount factor below 1.
    /// </summary>
    PolicyIteration,
}

/// <summary>
/// Computes the best policy of a Markov decision process: its table of transitions and rewards is counted from logged rows, or given by an
/// environment that knows its own.
/// </summary>
/// <remarks>
/// <para>
/// Each row of a log is one step: the state, the action that was taken, the reward, and the state that followed. The probability of a next
/// state is how often it followed, divided by how often the action was taken in the state; a reward is the mean of those that were seen.
/// Actions that were never taken in a state are not considered there. The transformer adds the best action and the values of all actions to
/// each row with a state, and keeps the table.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Reinforcement learning, from logged rows or from an environment's model</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// With <see cref="Options.Horizon"/> values are those of the first of so many steps. The same data gives the same bits.
/// </para>
/// </remarks>
public sealed class MarkovDecisionProcessEstimator : TabularEstimator
{
    private readonly Options _options;

    internal MarkovDecisionProcessEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(MarkovDecisionProcessEstimator), options) => _options = (Options)Settings;

    private protected override PolicyContent Learn(TransitionLog log)
    {
        using var channel = Host.Start("Training");
        var table = CountedTable.Of(log, _options.CancellationToken);
        log.Report(channel);
        return Solve(table, log.States, log.Actions);
    }

    private protected override PolicyContent Learn(IEnvironment environment)
    {
        if (KnownModel.Find(environment) is not var (known, _))
            throw new ArgumentException($"{environment.Name} does not know its model: it is no {nameof(IKnownModelEnvironment)}, or a wrapper changes its rewards or observations. QLearning learns without a model.", nameof(environment));
        return Solve(KnownModel.ToTable(known), KeysOf((DiscreteSpace)environment.ObservationSpace), KeysOf(environment.ActionSpace));
    }

    private PolicyContent Solve(TransitionTable table, PolicyKeys states, PolicyKeys actions)
    {
        var solver = new MarkovSolver(table, _options.CancellationToken);
        var solution = _options switch
        {
            { Horizon: { } horizon } => solver.FiniteHorizon(_options.DiscountFactor, horizon),
            { Solver: MarkovSolverKind.PolicyIteration } => solver.PolicyIteration(_options.DiscountFactor, _options.Tolerance, _options.MaximumIterations),
            _ => solver.ValueIteration(_options.DiscountFactor, _options.Tolerance, _options.MaximumIterations),
        };
        if (!solution.Converged)
            throw new InvalidOperationException(FormattableString.Invariant($"The values still change by more than {nameof(Options.Tolerance)} = {_options.Tolerance} after {nameof(Options.MaximumIterations)} = {_options.MaximumIterations} sweeps or improvements with {nameof(Options.DiscountFactor)} = {_options.DiscountFactor}. Rewards without end have no sum: use a factor below 1, or a {nameof(Options.Horizon)}."));
        if (Array.FindIndex(solution.StateValues, value => !double.IsFinite(value)) is var state && state >= 0)
            throw new FormatException(FormattableString.Invariant($"The value of state {state} is {solution.StateValues[state]}: the sum of its rewards is larger than any number. Divide the rewards."));
        return new PolicyContent(states, actions, solution.ActionValues[..(states.Count * actions.Count)])
        {
            Model = table,
            OptimalReturn = table.InitialStates.Count == 0 ? null : solver.Initial(solution.StateValues),
        };
    }

    /// <summary>The options of <see cref="MarkovDecisionProcessEstimator"/>.</summary>
    public sealed class Options : TabularOptions
    {
        // More than any computer sums up in a day.
        private const int MaximumHorizon = 100_000_000;

        /// <summary>The number of steps that are counted; null if there is no last step. Default null.</summary>
        public int? Horizon { get; set; }

        /// <summary>How the optimum is computed without a horizon. Default <see cref="MarkovSolverKind.ValueIteration"/>.</summary>
        public MarkovSolverKind Solver { get; set; }

        /// <summary>
        /// The largest error of a value; with a discount factor of 1 the largest change in the last sweep. Default 1e-9.
        /// </summary>
        public double Tolerance { get; set; } = 1e-9;

        /// <summary>The largest number of sweeps, or of improvements of the policy; each is evaluated in at most as many sweeps, or 1,000,000. Default 1,000,000.</summary>
        public int MaximumIterations { get; set; } = 1_000_000;

        internal override void Check()
        {
            base.Check();
            OptionCheck.Count(Horizon ?? 1, MaximumHorizon, nameof(Horizon));
            OptionCheck.Defined(Solver, nameof(Solver));
            OptionCheck.Require(Solver != MarkovSolverKind.PolicyIteration || Horizon != null || DiscountFactor < 1, DiscountFactor, nameof(DiscountFactor), $"below 1 with {nameof(Solver)} = {Solver}");
            OptionCheck.Positive(Tolerance, nameof(Tolerance));
            OptionCheck.AtLeast(MaximumIterations, 1, nameof(MaximumIterations));
        }
    }
}
