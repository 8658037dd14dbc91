using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

public sealed partial class ReinforcementLearningTrainers
{
    /// <summary>Learns the values of actions with a network (deep Q-learning): in an environment, or from logged rows.</summary>
    /// <param name="stateColumnName">The column of the state, a <c>Vector&lt;Single&gt;</c>. Default <c>State</c>.</param>
    /// <param name="actionColumnName">The column of the action that was taken, a key. Default <c>Action</c>.</param>
    /// <param name="rewardColumnName">The column of the reward, a <c>Single</c>. Default <c>Reward</c>.</param>
    /// <param name="nextStateColumnName">The column of the state that followed, a <c>Vector&lt;Single&gt;</c>. Default <c>NextState</c>.</param>
    /// <param name="discountFactor">What a reward is worth one step later, above 0 and at most 1. Default 0.99.</param>
    /// <param name="epochs">The number of epochs of 1,000 steps in an environment, or of passes over the rows. Default 50.</param>
    /// <param name="learningRate">The learning rate, which falls to 0 along a line. Default 0.001.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var game = EnvironmentRegistry.Make("CartPole-v1");
    /// using var policy = ml.ReinforcementLearning.Trainers.Dqn().Fit(game);
    /// Console.WriteLine(ml.ReinforcementLearning.Evaluate(policy, game));
    /// </code>
    /// </example>
    public DqnEstimator Dqn(
        string stateColumnName = TabularOptions.DefaultStateColumnName,
        string actionColumnName = TabularOptions.DefaultActionColumnName,
        string rewardColumnName = TabularOptions.DefaultRewardColumnName,
        string nextStateColumnName = TabularOptions.DefaultNextStateColumnName,
        double discountFactor = TabularOptions.DefaultDiscountFactor,
        int epochs = DqnEstimator.Options.DefaultDqnEpochs,
        double learningRate = DqnEstimator.Options.DefaultDqnLearningRate) =>
        Dqn(new DqnEstimator.Options { Epochs = epochs, LearningRate = learningRate }
            .Named(stateColumnName, actionColumnName, rewardColumnName, nextStateColumnName, discountFactor));

    /// <summary>Learns the values of actions with a network (deep Q-learning), with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var game = EnvironmentRegistry.Make("Catch-v0");
    /// using var policy = ml.ReinforcementLearning.Trainers.Dqn(new DqnEstimator.Options
    /// {
    ///     Epochs = 10,
    ///     Layers = DqnLayers.Perceptron(50, 50),
    ///     Dueling = true,
    ///     PrioritizedReplay = true,
    /// }).Fit(game);
    /// </code>
    /// </example>
    public DqnEstimator Dqn(DqnEstimator.Options options) => new(_context, options);
}
