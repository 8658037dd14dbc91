using Microsoft.ML;
using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

public sealed partial class ReinforcementLearningCatalog
{
    /// <summary>Judges a policy by a log of what another one did (off-policy evaluation): each row is a decision for itself.</summary>
    /// <param name="data">The log.</param>
    /// <param name="policyColumnName">
    /// The column of the policy: probabilities of all actions, such as the score of a classifier, or its action, a key. Default
    /// <c>Score</c>.
    /// </param>
    /// <param name="actionColumnName">The column of the action that was taken, a key. Default <c>Action</c>.</param>
    /// <param name="rewardColumnName">The column of the reward, a <c>Single</c>. Default <c>Reward</c>.</param>
    /// <param name="propensityColumnName">
    /// The column of the probability with which the log's policy took the action, a <c>Single</c>; null if there is none. Default
    /// <c>Propensity</c>.
    /// </param>
    /// <param name="predictedRewardsColumnName">
    /// The column of the predicted rewards of all actions, a <c>Vector&lt;Single&gt;</c>; see <c>PredictRewards</c>. Default null: there
    /// is none.
    /// </param>
    /// <returns>The estimates, how sure they are, and warnings where the log does not cover the policy.</returns>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <example>
    /// <code>
    /// var metrics = ml.ReinforcementLearning.EvaluateLog(data, policyColumnName: "Score");
    /// Console.WriteLine($"{metrics.SelfNormalized} instead of {metrics.Logged}");
    /// foreach (var warning in metrics.Warnings)
    ///     Console.WriteLine(warning);
    /// </code>
    /// </example>
    public LogEvaluationMetrics EvaluateLog(
        IDataView data,
        string policyColumnName = LogEvaluationOptions.DefaultPolicyColumnName,
        string actionColumnName = TabularOptions.DefaultActionColumnName,
        string rewardColumnName = TabularOptions.DefaultRewardColumnName,
        string? propensityColumnName = LogEvaluationOptions.DefaultPropensityColumnName,
        string? predictedRewardsColumnName = null) =>
        EvaluateLog(data, new LogEvaluationOptions
        {
            PolicyColumnName = policyColumnName,
            ActionColumnName = actionColumnName,
            RewardColumnName = rewardColumnName,
            PropensityColumnName = propensityColumnName,
            PredictedRewardsColumnName = predictedRewardsColumnName,
        });

    /// <summary>
    /// Judges a policy by a log of what another one did (off-policy evaluation), with all options: rows or whole episodes.
    /// </summary>
    /// <param name="data">The log.</param>
    /// <param name="options">The options.</param>
    /// <returns>The estimates, how sure they are, and warnings where the log does not cover the policy.</returns>
    /// <exception cref="ArgumentException">
    /// An option is out of range, or a column is missing or of a wrong type; the message names it.
    /// </exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    /// <example>
    /// <code>
    /// var metrics = ml.ReinforcementLearning.EvaluateLog(data, new LogEvaluationOptions
    /// {
    ///     PolicyColumnName = "PredictedAction",
    ///     EpisodeColumnName = "Episode",
    ///     DiscountFactor = 0.95,
    ///     MaximumWeight = 100,
    /// });
    /// </code>
    /// </example>
    public LogEvaluationMetrics EvaluateLog(IDataView data, LogEvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        return LogEvaluator.Evaluate(Context, data, options);
    }

    /// <summary>
    /// Adds the predicted rewards of all actions to a log, each row predicted by a model that did not see it (cross-fitting), for the
    /// direct method and the doubly robust estimate of <c>EvaluateLog</c>.
    /// </summary>
    /// <param name="data">The log.</param>
    /// <param name="estimator">
    /// What predicts a reward: a regression, or a calibrated binary classifier if rewards are 0 and 1. It is fitted to columns
    /// <c>Features</c> (the features, and a 1 for the action that was taken) and <c>Label</c> (the reward).
    /// </param>
    /// <param name="featureColumnName">The column of what is known before the action. Default <c>Features</c>.</param>
    /// <param name="actionColumnName">The column of the action that was taken, a key. Default <c>Action</c>.</param>
    /// <param name="rewardColumnName">The column of the reward, a <c>Single</c>. Default <c>Reward</c>.</param>
    /// <param name="outputColumnName">The column that is added, a <c>Vector&lt;Single&gt;</c>. Default <c>PredictedRewards</c>.</param>
    /// <param name="folds">The number of parts of the log, at least 2, and of models. Default 5.</param>
    /// <returns>The log with the column.</returns>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, or the estimator does not suit; the message says which.
    /// </exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <example>
    /// <code>
    /// var withRewards = ml.ReinforcementLearning.PredictRewards(data, ml.Regression.Trainers.Sdca());
    /// var metrics = ml.ReinforcementLearning.EvaluateLog(withRewards, predictedRewardsColumnName: "PredictedRewards");
    /// Console.WriteLine(metrics.DoublyRobust);
    /// </code>
    /// </example>
    public IDataView PredictRewards(
        IDataView data,
        IEstimator<ITransformer> estimator,
        string featureColumnName = RewardPredictionOptions.DefaultFeatureColumnName,
        string actionColumnName = TabularOptions.DefaultActionColumnName,
        string rewardColumnName = TabularOptions.DefaultRewardColumnName,
        string outputColumnName = RewardPredictionOptions.DefaultOutputColumnName,
        int folds = RewardPredictionOptions.DefaultFolds) =>
        PredictRewards(data, estimator, new RewardPredictionOptions
        {
            FeatureColumnName = featureColumnName,
            ActionColumnName = actionColumnName,
            RewardColumnName = rewardColumnName,
            OutputColumnName = outputColumnName,
            Folds = folds,
        });

    /// <summary>Adds the predicted rewards of all actions to a log, with all options.</summary>
    /// <param name="data">The log.</param>
    /// <param name="estimator">What predicts a reward; see the other overload.</param>
    /// <param name="options">The options.</param>
    /// <returns>The log with the column.</returns>
    /// <exception cref="ArgumentException">
    /// An option is out of range, a column is missing or of a wrong type, or the estimator does not suit; the message says which.
    /// </exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    /// <example>
    /// <code>
    /// var classifier = ml.BinaryClassification.Trainers.LbfgsLogisticRegression();
    /// var withRewards = ml.ReinforcementLearning.PredictRewards(data, classifier, new RewardPredictionOptions
    /// {
    ///     Folds = 10,
    ///     SamplingKeyColumnName = "User", // a user is never in two parts
    /// });
    /// </code>
    /// </example>
    public IDataView PredictRewards(IDataView data, IEstimator<ITransformer> estimator, RewardPredictionOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(estimator);
        ArgumentNullException.ThrowIfNull(options);
        return RewardPredictions.Add(Context, data, estimator, options);
    }

    /// <summary>Learns from a log of steps what a policy is worth that did not make it (fitted Q evaluation).</summary>
    /// <param name="data">The log, with the columns that <see cref="DqnEstimator"/> reads.</param>
    /// <param name="policy">The policy: a trained transformer, or a rule of your own.</param>
    /// <param name="discountFactor">What a reward is worth one step later, above 0 and at most 1. Default 0.99.</param>
    /// <param name="epochs">The number of passes over the rows. Default 50.</param>
    /// <returns>
    /// The value of first states, how well the log covers the policy, warnings, and the network, which is to be disposed.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// A value is out of range, or a column or the policy does not suit; the message names it.
    /// </exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <example>
    /// <code>
    /// using var game = EnvironmentRegistry.Make("CartPole-v1");
    /// using var policy = ml.ReinforcementLearning.Trainers.Dqn().Fit(game);
    /// var metrics = ml.ReinforcementLearning.FittedQEvaluation(data, policy);
    /// Console.WriteLine(metrics);
    /// metrics.Model.Dispose();
    /// </code>
    /// </example>
    public FittedQMetrics FittedQEvaluation(
        IDataView data,
        IPolicy policy,
        double discountFactor = TabularOptions.DefaultDiscountFactor,
        int epochs = DqnEstimator.Options.DefaultDqnEpochs) =>
        FittedQEvaluation(data, policy, new FittedQOptions { Training = new DqnEstimator.Options { DiscountFactor = discountFactor, Epochs = epochs } });

    /// <summary>Learns from a log of steps what a policy is worth that did not make it (fitted Q evaluation), with all options.</summary>
    /// <param name="data">The log, with the columns that <see cref="FittedQOptions.Training"/> names.</param>
    /// <param name="policy">The policy: a trained transformer, or a rule of your own.</param>
    /// <param name="options">The options.</param>
    /// <returns>
    /// The value of first states, how well the log covers the policy, warnings, and the network, which is to be disposed.
    /// </returns>
    /// <inheritdoc cref="FittedQEvaluation(IDataView, IPolicy, double, int)" path="/exception"/>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    /// <example>
    /// <code>
    /// using var game = EnvironmentRegistry.Make("CartPole-v1");
    /// using var policy = ml.ReinforcementLearning.Trainers.Dqn().Fit(game);
    /// var metrics = ml.ReinforcementLearning.FittedQEvaluation(data, policy, new FittedQOptions
    /// {
    ///     Training = new DqnEstimator.Options { EpisodeColumnName = "Episode", Epochs = 20, Layers = DqnLayers.Perceptron(64, 64) },
    /// });
    /// </code>
    /// </example>
    public FittedQMetrics FittedQEvaluation(IDataView data, IPolicy policy, FittedQOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(options);
        return FittedQEvaluator.Evaluate(Context, data, policy, options);
    }

    /// <summary>
    /// Learns from a log of steps what a policy is worth that did not make it (fitted Q evaluation), where columns have the actions of the
    /// policy.
    /// </summary>
    /// <param name="data">
    /// The log, with the columns that <see cref="FittedQOptions.Training"/> names, and those of the policy's actions.
    /// </param>
    /// <param name="options">The options, with <see cref="FittedQOptions.PolicyActionColumnName"/>.</param>
    /// <returns>
    /// The value of first states, how well the log covers the policy, warnings, and the network, which is to be disposed.
    /// </returns>
    /// <inheritdoc cref="FittedQEvaluation(IDataView, IPolicy, double, int)" path="/exception"/>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    /// <example>
    /// <code>
    /// var metrics = ml.ReinforcementLearning.FittedQEvaluation(data, new FittedQOptions
    /// {
    ///     Training = new DqnEstimator.Options { EpisodeColumnName = "Episode" },
    ///     PolicyActionColumnName = "PredictedAction", // such as a classifier adds
    /// });
    /// </code>
    /// </example>
    public FittedQMetrics FittedQEvaluation(IDataView data, FittedQOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        return FittedQEvaluator.Evaluate(Context, data, null, options);
    }
}
