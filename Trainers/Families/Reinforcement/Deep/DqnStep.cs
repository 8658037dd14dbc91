using MLExtensions.Engine;
using MLExtensions.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Reinforcement;

/// <summary>How the policy in training is evaluated after an epoch.</summary>
/// <param name="Episodes">The number of episodes.</param>
/// <param name="MaximumSteps">The number of steps after which an episode is cut off.</param>
/// <param name="Seed">The seed of the episodes.</param>
/// <param name="Use">Gives the environment to an action.</param>
internal sealed record EpochEvaluation(int Episodes, int MaximumSteps, int Seed, Action<Action<CheckedEnvironment>> Use);

/// <summary>
/// The training step of deep Q-learning: the value of an action comes closer to its rewards plus what the target network says of the state that
/// followed. Mnih et al., 2015; van Hasselt et al., 2016. From a log, values of other actions are held down (Kumar et al., 2020), or the actions
/// of the log are predicted.
/// </summary>
internal sealed class DqnStep : TrainingStep<TransitionBatch>
{
    private readonly TrainedNetwork _network;
    private readonly TrainedNetwork _target;
    private readonly DqnEstimator.Options _options;
    private readonly Experience? _experience;
    private readonly EpochEvaluation? _evaluation;
    private readonly ActionValueScorer _scorer;
    private readonly GreedyPolicy _policy;
    private readonly TransitionLoss _loss;
    private readonly ActionValues _values;
    private readonly ActionValues _nextValues;
    private readonly ActionValues _targetValues;
    private readonly Action _throwIfCancelled;
    private double _valueSum;
    private long _batches;
    private bool _hasTrained;

    /// <param name="network">The network; owned by the step.</param>
    /// <param name="target">The target network, of the same weights; owned by the step.</param>
    /// <param name="options">The options.</param>
    /// <param name="actions">The actions.</param>
    /// <param name="experience">The agent; null if transitions are logged.</param>
    /// <param name="evaluation">The evaluation after each epoch, or null.</param>
    /// <param name="throwIfCancelled">Called at each step of an evaluation.</param>
    public DqnStep(TrainedNetwork network, TrainedNetwork target, DqnEstimator.Options options, PolicyKeys actions, Experience? experience, EpochEvaluation? evaluation, Action throwIfCancelled)
    {
        (_network, _target, _options, _experience, _evaluation, _throwIfCancelled) = (network, target, options, experience, evaluation, throwIfCancelled);
        _loss = new TransitionLoss(options, isLog: experience == null, actions.Count);
        _values = ActionValues.Of(network, options.RowsOfRank, options.Precision, learns: true);
        _nextValues = ActionValues.Of(network, options.RowsOfRank, options.Precision, learns: false);
        _targetValues = ActionValues.Of(target, options.RowsOfRank, options.Precision, learns: false);
        _scorer = new ActionValueScorer((ActionValueArchitecture)network.Architecture, network.Module, network.Device);
        _policy = new GreedyPolicy(_scorer, actions);
        experience?.Follow(_policy);
        Networks = [network];
        _target.BeginValidation();
    }

    public override IReadOnlyList<TrainedNetwork> Networks { get; }

    public override IReadOnlyList<(string Name, Tensor Value)> State => [("target", _target.Parameters.Weights)];

    /// <summary>Goals rise with values, and errors with both.</summary>
    public override bool LowersLoss => false;

    public override bool LossTellsLearning => _loss.IsCloning;

    public override string? DivergenceAdvice => _loss.IsCloning ? null
        : "Values are as large as sums of rewards: try rewards of about 1 (RewardClip), a smaller LearningRate or DiscountFactor, GradientClipNorm = 1, or states of about -10 to 10. The last checkpoint, if there is one, is intact.";

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _target.Parameters.PublishWeights(); // a checkpoint may have been loaded
        (_valueSum, _batches) = (0, 0);
    }

    public override double Train(TransitionBatch batch, double learningRate, MetricSums metrics)
    {
        if (batch.CopiesTarget)
            _target.Follow(_network, 1);
        var loss = Loss(batch);
        if (double.IsFinite(loss))
        {
            _values.Backward(_loss.Gradients);
            _network.Apply(learningRate);
        }
        if (!_loss.IsCloning)
            batch.TakeErrors?.Invoke(_loss.Errors);
        if (_options.TargetUpdateInterval == null && !_loss.IsCloning)
            _target.Follow(_network, _options.TargetUpdateRate);
        _hasTrained = true;
        _valueSum += _loss.MeanValue;
        _batches++;
        return loss;
    }

    public override double LossAfter(TransitionBatch batch)
    {
        using var mode = inference_mode();
        _network.BeginValidation();
        var loss = Loss(batch);
        _network.Parameters.BeginTraining(); // there can be more batches: how many there are depends on when learning starts
        return loss;
    }

    /// <summary>Plays the evaluation episodes; which have no loss. Of a log, looks at held-out transitions.</summary>
    public override double? Validate(TransitionBatch batch, MetricSums metrics)
    {
        if (_experience == null)
        {
            using var mode = inference_mode();
            var loss = Loss(batch);
            metrics.Add("agreement", _loss.Agreements);
            if (!_loss.IsCloning)
                metrics.Add("error", _loss.SquaredError, MetricMean.RootOfSquares);
            return loss;
        }
        var (returns, lengths) = (0.0, 0L);
        _evaluation!.Use(environment =>
        {
            var random = new SeededRandom(SeedSequence.Derive(_evaluation.Seed, SeedSequence.EvaluatedEpisodes));
            for (var episode = 0; episode < _evaluation.Episodes; episode++)
            {
                var summary = PolicyEvaluator.Play(new Playing(_policy), environment, episode == 0 ? _evaluation.Seed : null, random, _evaluation.MaximumSteps, null, _options.CancellationToken);
                _throwIfCancelled();
                (returns, lengths) = (returns + summary.Return, lengths + summary.Length);
            }
        });
        metrics.Add("return", returns / _evaluation.Episodes);
        metrics.Add("length", (double)lengths / _evaluation.Episodes);
        return null;
    }

    public override void EndEpoch(MetricSums metrics)
    {
        if (_batches > 0)
            Add(_loss.IsCloning ? "logit" : "value", _valueSum / _batches);
        if (_experience == null)
            return;
        _experience.Episodes.Add(_options.Distributed?.Group);
        Add("epsilon", _experience.Epsilon);
        Add("episodes", _experience.Episodes.Count);
        if (_experience.Episodes.Count == 0)
            return;
        Add("return", _experience.Episodes.MeanReturn);
        Add("length", _experience.Episodes.MeanLength);

        // There are no examples before learning starts.
        void Add(string name, double value) => metrics.Add(name, value * Math.Max(1, metrics.Examples));
    }

    public override IEnumerable<string> Diagnose()
    {
        if (_experience != null && !_hasTrained)
            yield return "The last epochs had no training step: the replay buffer never held a whole return of ReturnSteps steps. Use more StepsPerEpoch, or fewer ReturnSteps.";
        if (_experience is { Episodes.Count: 0 })
            yield return "No episode ended in the last epoch, so the history has no return of it. Use more StepsPerEpoch, or a TimeLimit.";
    }

    public override void Dispose()
    {
        foreach (var values in (ActionValues[])[_values, _nextValues, _targetValues])
            values.Dispose();
        _loss.Dispose();
        base.Dispose();
        _target.Dispose();
    }

    private double Loss(TransitionBatch batch)
    {
        _values.Compute(batch.Block.States, _loss.Values);
        if (!_loss.IsCloning)
            _targetValues.Compute(batch.Block.NextStates, _loss.TargetValues);
        if (!_loss.IsCloning && _options.DoubleLearning)
            _nextValues.Compute(batch.Block.NextStates, _loss.NextValues);
        return _loss.Compute(batch);
    }

    /// <summary>The policy as others see it.</summary>
    private sealed class Playing(GreedyPolicy policy) : IPolicy
    {
        public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random) => policy.Act(observation, actionMask, random);
    }
}
