using Microsoft.ML;
using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>Adds reinforcement learning to the context: <c>mlContext.ReinforcementLearning</c>.</summary>
public static class ReinforcementLearningExtensions
{
    /// <param name="context">The ML.NET context.</param>
    extension(MLContext context)
    {
        /// <summary>Learners of policies, in environments or from logged rows, and evaluation.</summary>
        /// <example>
        /// <code>
        /// using var lake = EnvironmentRegistry.Make("FrozenLake-v1");
        /// var policy = ml.ReinforcementLearning.Trainers.QLearning(discountFactor: 0.999).Fit(lake);
        /// Console.WriteLine(ml.ReinforcementLearning.Evaluate(policy, lake, episodes: 1000));
        /// </code>
        /// </example>
        public ReinforcementLearningCatalog ReinforcementLearning => new(context);
    }
}

/// <summary>Learners of policies, and evaluation.</summary>
public sealed partial class ReinforcementLearningCatalog
{
    private const int DefaultMaximumSteps = 100_000;

    internal ReinforcementLearningCatalog(MLContext context) => Context = context;

    /// <summary>The learners.</summary>
    public ReinforcementLearningTrainers Trainers => new(Context);

    internal MLContext Context { get; }

    /// <summary>Lets a policy play, and measures how well it does.</summary>
    /// <param name="policy">The policy: a trained transformer, or a rule of your own.</param>
    /// <param name="environment">The environment. It is not disposed.</param>
    /// <param name="episodes">The number of episodes, at least 1. Default 100.</param>
    /// <param name="seed">The seed of the environment and of policies that draw. The same seed gives the same episodes. Default 0.</param>
    /// <param name="successReturn">The return from which an episode is a success. Default null: nothing is one.</param>
    /// <param name="maximumSteps">
    /// The number of steps after which an episode is cut off if the environment does not do it, at least 1. Default 100,000.
    /// </param>
    /// <param name="cancellationToken">Cancels the evaluation.</param>
    /// <returns>The metrics; with the regret against the exact optimum if the environment knows its model.</returns>
    /// <exception cref="ArgumentException">A number is out of range, or the policy does not suit the environment.</exception>
    /// <exception cref="FormatException">The environment shows what it must not; the message names episode and step.</exception>
    /// <example>
    /// <code>
    /// using var taxi = EnvironmentRegistry.Make("Taxi-v3");
    /// var policy = ml.ReinforcementLearning.Trainers.QLearning(epochs: 100).Fit(taxi);
    /// var metrics = ml.ReinforcementLearning.Evaluate(policy, taxi, episodes: 300);
    /// Console.WriteLine($"{metrics.MeanReturn} of {metrics.OptimalReturn}");
    /// </code>
    /// </example>
    public ReinforcementMetrics Evaluate(
        IPolicy policy,
        IEnvironment environment,
        int episodes = 100,
        int seed = 0,
        double? successReturn = null,
        int maximumSteps = DefaultMaximumSteps,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(environment);
        return PolicyEvaluator.Evaluate(Context, policy, environment, episodes, seed, successReturn, maximumSteps, cancellationToken);
    }

    /// <summary>Lets a policy play one episode, and keeps what it looks like.</summary>
    /// <param name="policy">The policy: a trained transformer, or a rule of your own.</param>
    /// <param name="environment">The environment. It is not disposed.</param>
    /// <param name="seed">The seed of the environment and of policies that draw. Default 0.</param>
    /// <param name="interval">The number of steps from one picture to the next, at least 1; the last state has one, too. Default 1.</param>
    /// <param name="maximumSteps">The number of steps after which the episode is cut off, at least 1. Default 1,000.</param>
    /// <exception cref="ArgumentException">A number is out of range, or the policy does not suit the environment.</exception>
    /// <exception cref="FormatException">The environment shows what it must not; the message names the step.</exception>
    /// <example>
    /// <code>
    /// using var taxi = EnvironmentRegistry.Make("Taxi-v3");
    /// var policy = ml.ReinforcementLearning.Trainers.QLearning(epochs: 100).Fit(taxi);
    /// ml.ReinforcementLearning.Watch(policy, taxi).Frames.SavePng("taxi.png");
    /// </code>
    /// </example>
    public WatchedEpisode Watch(IPolicy policy, IEnvironment environment, int seed = 0, int interval = 1, int maximumSteps = 1000)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(environment);
        return PolicyEvaluator.Watch(policy, environment, seed, interval, maximumSteps);
    }
}

/// <summary>Learners of policies.</summary>
public sealed partial class ReinforcementLearningTrainers
{
    private readonly MLContext _context;

    internal ReinforcementLearningTrainers(MLContext context) => _context = context;

    /// <summary>
    /// Computes the best policy of a Markov decision process: its table is counted from logged rows, or given by an environment that knows its own.
    /// </summary>
    /// <param name="stateColumnName">The column of the state, a key. Default <c>State</c>.</param>
    /// <param name="actionColumnName">The column of the action that was taken, a key. Default <c>Action</c>.</param>
    /// <param name="rewardColumnName">The column of the reward, a <c>Single</c>. Default <c>Reward</c>.</param>
    /// <param name="nextStateColumnName">The column of the state that followed, a key; missing where the episode ended. Default <c>NextState</c>.</param>
    /// <param name="discountFactor">What a reward is worth one step later, above 0 and at most 1. Default 0.99.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var lake = EnvironmentRegistry.Make("FrozenLake-v1");
    /// var policy = ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(discountFactor: 0.99).Fit(lake);
    /// Console.WriteLine(policy.StateValue(0));
    /// </code>
    /// </example>
    public MarkovDecisionProcessEstimator MarkovDecisionProcess(
        string stateColumnName = TabularOptions.DefaultStateColumnName,
        string actionColumnName = TabularOptions.DefaultActionColumnName,
        string rewardColumnName = TabularOptions.DefaultRewardColumnName,
        string nextStateColumnName = TabularOptions.DefaultNextStateColumnName,
        double discountFactor = TabularOptions.DefaultDiscountFactor) =>
        MarkovDecisionProcess(new MarkovDecisionProcessEstimator.Options()
            .Named(stateColumnName, actionColumnName, rewardColumnName, nextStateColumnName, discountFactor));

    /// <summary>Computes the best policy of a Markov decision process, with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var lake = EnvironmentRegistry.Make("FrozenLake-v1");
    /// var policy = ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(new MarkovDecisionProcessEstimator.Options
    /// {
    ///     DiscountFactor = 1,
    ///     Horizon = 100,
    /// }).Fit(lake);
    /// Console.WriteLine(policy.OptimalReturn); // 0.7442
    /// </code>
    /// </example>
    public MarkovDecisionProcessEstimator MarkovDecisionProcess(MarkovDecisionProcessEstimator.Options options) => new(_context, options);

    /// <summary>Learns the values of actions in numbered states by trial: in an environment, or from logged rows.</summary>
    /// <param name="stateColumnName">The column of the state, a key. Default <c>State</c>.</param>
    /// <param name="actionColumnName">The column of the action that was taken, a key. Default <c>Action</c>.</param>
    /// <param name="rewardColumnName">The column of the reward, a <c>Single</c>. Default <c>Reward</c>.</param>
    /// <param name="nextStateColumnName">The column of the state that followed, a key; missing where the episode ended. Default <c>NextState</c>.</param>
    /// <param name="discountFactor">What a reward is worth one step later, above 0 and at most 1. Default 0.99.</param>
    /// <param name="epochs">The number of epochs of 10,000 steps in an environment, or of passes over the rows. Default 50.</param>
    /// <param name="learningRate">The share of an error that is corrected at once; it falls to a hundredth of that. Default 0.1.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var taxi = EnvironmentRegistry.Make("Taxi-v3");
    /// var policy = ml.ReinforcementLearning.Trainers.QLearning(epochs: 100).Fit(taxi);
    /// Console.WriteLine(ml.ReinforcementLearning.Evaluate(policy, taxi));
    /// </code>
    /// </example>
    public QLearningEstimator QLearning(
        string stateColumnName = TabularOptions.DefaultStateColumnName,
        string actionColumnName = TabularOptions.DefaultActionColumnName,
        string rewardColumnName = TabularOptions.DefaultRewardColumnName,
        string nextStateColumnName = TabularOptions.DefaultNextStateColumnName,
        double discountFactor = TabularOptions.DefaultDiscountFactor,
        int epochs = QLearningEstimator.Options.DefaultEpochs,
        double learningRate = QLearningEstimator.Options.DefaultLearningRate) =>
        QLearning(new QLearningEstimator.Options { Epochs = epochs, LearningRate = learningRate }
            .Named(stateColumnName, actionColumnName, rewardColumnName, nextStateColumnName, discountFactor));

    /// <summary>Learns the values of actions in numbered states by trial, with all options: Q-learning, SARSA, expected SARSA.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var cliff = EnvironmentRegistry.Make("CliffWalking-v1");
    /// var policy = ml.ReinforcementLearning.Trainers.QLearning(new QLearningEstimator.Options
    /// {
    ///     Algorithm = TemporalDifference.Sarsa,
    ///     LearningRate = 0.5,
    ///     InitialEpsilon = 0.1,
    ///     FinalEpsilon = 0.1,
    /// }).Fit(cliff);
    /// </code>
    /// </example>
    public QLearningEstimator QLearning(QLearningEstimator.Options options) => new(_context, options);
}
