using Microsoft.ML.Runtime;
using MLExtensions.Families.Reinforcement;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>What the value of an action is corrected towards, besides its reward.</summary>
public enum TemporalDifference
{
    /// <summary>The best action of the next state (Watkins, 1989): learns the best policy, whatever is tried.</summary>
    QLearning,

    /// <summary>The action that is taken next (Rummery and Niranjan, 1994): learns the policy that is followed, trials included.</summary>
    Sarsa,

    /// <summary>The mean over the actions that could be taken next (van Seijen et al., 2009): as SARSA, with less noise.</summary>
    ExpectedSarsa,
}

/// <summary>
/// Learns the values of actions in numbered states by trial (Q-learning, SARSA, expected SARSA): in an environment, or from logged rows.
/// </summary>
/// <remarks>
/// <para>
/// In an environment a random action is taken with probability epsilon, which falls along a line; otherwise the best one, and one of them at
/// random if there are ties. Masks of the environment are obeyed. Episodes that are cut off are learned from as if they went on; those that
/// terminate have no future. From rows, each epoch goes through all of them in another order; only actions that were seen in the next state
/// count there. The history has the mean squared correction (<c>loss</c>) and, of the episodes that ended in an epoch, <c>episodes</c>,
/// <c>return</c> and <c>length</c>. The same seed gives the same bits.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Reinforcement learning, in an environment or from logged rows</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, 24 bytes per row.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// </remarks>
public sealed class QLearningEstimator : TabularEstimator
{
    private readonly Options _options;
    private readonly int _seed;

    internal QLearningEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(QLearningEstimator), options)
    {
        _options = (Options)Settings;
        _seed = options.Seed ?? ((IHostEnvironmentInternal)env).Seed ?? Random.Shared.Next();
    }

    private protected override PolicyContent Learn(TransitionLog log)
    {
        if (_options.Algorithm != TemporalDifference.QLearning)
            throw new ArgumentException($"{nameof(Options.Algorithm)} is {_options.Algorithm}; from logged rows it must be {nameof(TemporalDifference.QLearning)}, for the others need to act.", nameof(Options.Algorithm));
        using var channel = Host.Start("Training");
        var rows = log.Read(_options.CancellationToken).ToArray();
        if (rows.Length == 0)
            throw new ArgumentException("There are no rows with a state and an action to learn from.");
        var table = ActionTable.Create(log.States, log.Actions, _options);
        foreach (var row in rows)
            table.SetTried(row.State, row.Action);
        log.CountUnknownEnds(rows.LongCount(row => !row.Terminated && !table.IsTried(row.NextState)));
        var warnings = log.Report(channel);
        var run = new QLearningRun(_options, _seed, channel);
        run.Replay(table, rows);
        return table.ToContent(log.States, log.Actions, run.History(warnings, log.Counts.Values));
    }

    private protected override PolicyContent Learn(IEnvironment environment)
    {
        using var channel = Host.Start("Training");
        var (states, actions) = (KeysOf((DiscreteSpace)environment.ObservationSpace), KeysOf(environment.ActionSpace));
        var table = ActionTable.Create(states, actions, _options);
        var run = new QLearningRun(_options, _seed, channel);
        run.Play(table, CheckedEnvironment.Around(environment));
        return table.ToContent(states, actions, run.History([], new Dictionary<string, long>()));
    }

    /// <summary>The options of <see cref="QLearningEstimator"/>.</summary>
    public sealed class Options : TabularOptions, IExplorationOptions
    {
        internal const int DefaultEpochs = 50;
        internal const double DefaultLearningRate = 0.1;

        /// <summary>The number of epochs. Default 50.</summary>
        public int Epochs { get; set; } = DefaultEpochs;

        /// <summary>The number of steps in the environment per epoch; an epoch of logged rows is all of them, once. Default 10,000.</summary>
        public int StepsPerEpoch { get; set; } = 10_000;

        /// <summary>What the value of an action is corrected towards. Default <see cref="TemporalDifference.QLearning"/>.</summary>
        public TemporalDifference Algorithm { get; set; }

        /// <summary>
        /// The share of an error that is corrected at once, above 0 and at most 1, before <see cref="LearningRateSchedule"/> is applied. The
        /// more chance there is in an environment, the lower it must become. Default 0.1.
        /// </summary>
        public double LearningRate { get; set; } = DefaultLearningRate;

        /// <summary>How the learning rate changes. Default: it falls along a line to a hundredth.</summary>
        public LearningRateSchedule LearningRateSchedule { get; set; } = new LinearSchedule { MinimumFactor = 0.01 };

        /// <summary>The probability of a random action at the beginning, from 0 to 1. Default 1.</summary>
        public double InitialEpsilon { get; set; } = 1;

        /// <summary>The probability of a random action at the end, from 0 to 1. Default 0.05.</summary>
        public double FinalEpsilon { get; set; } = 0.05;

        /// <summary>The share of the steps over which the probability of random actions falls along a line, from 0 to 1. Default 0.5.</summary>
        public double EpsilonDecayFraction { get; set; } = 0.5;

        /// <summary>
        /// The value of actions that were not tried yet. A high one makes an agent try everything. Default 0.
        /// </summary>
        public double InitialValue { get; set; }

        /// <summary>
        /// A policy to go on from, of the same states and actions: learned in an environment, or from rows. Default null: none.
        /// </summary>
        public TabularPolicyTransformer? InitialModel { get; set; }

        /// <summary>Seed of all random numbers. Default null: the seed of the MLContext, or a random one.</summary>
        public int? Seed { get; set; }

        /// <summary>Receives progress reports, on the training thread; <see cref="ConsoleProgress"/> shows them. Default null: none.</summary>
        public IProgress<TrainingProgress>? Progress { get; set; }

        internal override void Check()
        {
            base.Check();
            OptionCheck.AtLeast(Epochs, 1, nameof(Epochs));
            OptionCheck.AtLeast(StepsPerEpoch, 1, nameof(StepsPerEpoch));
            OptionCheck.Defined(Algorithm, nameof(Algorithm));
            OptionCheck.Above(LearningRate, 0, 1, nameof(LearningRate));
            OptionCheck.NotNull(LearningRateSchedule, nameof(LearningRateSchedule));
            LearningRateSchedule.Check(Epochs);
            this.CheckExploration();
            OptionCheck.Between(InitialValue, -float.MaxValue, float.MaxValue, nameof(InitialValue));
        }
    }
}
