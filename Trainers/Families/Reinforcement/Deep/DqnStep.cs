using MLExtensions.Engine;
using MLExtensions.Networks;
using MLExtensions.Tensors;
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
    private const double Half = 0.5;

    private readonly TrainedNetwork _network;
    private readonly TrainedNetwork _target;
    private readonly DqnEstimator.Options _options;
    private readonly Experience? _experience;
    private readonly EpochEvaluation? _evaluation;
    private readonly ActionValueScorer _scorer;
    private readonly GreedyPolicy _policy;
    private readonly bool _isCloning;
    private readonly double _conservativeWeight;
    private readonly Action _throwIfCancelled;
    private double _values;
    private long _batches;

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
        _isCloning = experience == null && options.LogLearning == LogLearning.Cloning;
        _conservativeWeight = experience == null ? options.ConservativeWeight : 0;
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

    public override bool LossTellsLearning => _isCloning;

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _target.Parameters.PublishWeights(); // a checkpoint may have been loaded
        (_values, _batches) = (0, 0);
    }

    public override double Train(TransitionBatch batch, double learningRate, MetricSums metrics)
    {
        if (batch.CopiesTarget)
            MoveTarget(1);
        var loss = Loss(batch, out var taken, out var errors);
        var value = _network.Descend(loss, learningRate);
        using var noGradient = no_grad();
        if (errors is not null && batch.TakeErrors is { } take)
            take(TensorMemory.Floats(errors.detach().cpu().contiguous()));
        if (_options.TargetUpdateInterval == null && !_isCloning)
            MoveTarget(_options.TargetUpdateRate);
        _values += taken.detach().mean().item<float>();
        _batches++;
        return value;
    }

    public override double LossAfter(TransitionBatch batch)
    {
        using var mode = inference_mode();
        _network.BeginValidation();
        var loss = Loss(batch, out _, out _).item<float>();
        _network.Parameters.BeginTraining(); // there can be more batches: how many there are depends on when learning starts
        return loss;
    }

    /// <summary>Plays the evaluation episodes; the loss is the mean return with a minus sign.</summary>
    public override double Validate(TransitionBatch batch, MetricSums metrics)
    {
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
        return -returns / _evaluation.Episodes;
    }

    public override void EndEpoch(MetricSums metrics)
    {
        if (_batches > 0)
            Add(_isCloning ? "logit" : "value", _values / _batches);
        if (_experience == null)
            return;
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
        if (_experience is { Episodes.Count: 0 })
            yield return "No episode ended in the last epoch, so the history has no return of it. Use more StepsPerEpoch, or a TimeLimit.";
    }

    public override void Dispose()
    {
        base.Dispose();
        _target.Dispose();
    }

    private Tensor Loss(TransitionBatch batch, out Tensor taken, out Tensor? errors)
    {
        var (block, device) = (batch.Block, _network.Device);
        var actions = block.Actions.Tensor.to(device);
        var values = _network.Forward(block.States.Tensor.to(device));
        taken = values.gather(1, actions.unsqueeze(1)).squeeze(1);
        errors = null;
        if (_isCloning)
            return nn.functional.cross_entropy(Allow(values, block.Masks.Tensor, block.HasMasks), actions);
        var goals = Goals(block, device);
        errors = taken.sub(goals);
        var losses = _options.Loss == ValueLoss.Huber
            ? nn.functional.smooth_l1_loss(taken, goals, nn.Reduction.None)
            : errors.pow(Number.Of(2)).mul(Number.Of(Half));
        var loss = batch.TakeErrors == null ? losses.mean() : losses.mul(block.Weights.Tensor.to(device)).mean();
        if (_conservativeWeight > 0)
            loss = loss.add(Allow(values, block.Masks.Tensor, block.HasMasks).logsumexp(1).sub(taken).mean(), Number.Of(_conservativeWeight));
        return loss;
    }

    /// <summary>The rewards and the value of what followed.</summary>
    private Tensor Goals(TransitionBlock block, Device device)
    {
        using var noGradient = no_grad();
        var next = block.NextStates.Tensor.to(device);
        var ofTarget = _target.Forward(next);
        Tensor best;
        if (_options.DoubleLearning)
        {
            var choice = Allow(_network.Forward(next), block.NextMasks.Tensor, block.HasMasks).argmax(1, keepdim: true);
            best = ofTarget.gather(1, choice).squeeze(1);
        }
        else
            best = Allow(ofTarget, block.NextMasks.Tensor, block.HasMasks).amax([1]);
        return best.mul(block.Discounts.Tensor.to(device)).add(block.Rewards.Tensor.to(device), Number.One);
    }

    private static Tensor Allow(Tensor values, Tensor masks, bool hasMasks) =>
        hasMasks ? values.masked_fill(masks.to(values.device).eq(Number.Zero), Number.Of(float.NegativeInfinity)) : values;

    private void MoveTarget(double share)
    {
        using var noGradient = no_grad();
        if (share >= 1)
            _target.Parameters.Weights.copy_(_network.Parameters.Weights);
        else
            _target.Parameters.Weights.mul_(Number.Of(1 - share)).add_(_network.Parameters.Weights, Number.Of(share));
        _target.Parameters.PublishWeights();
    }

    /// <summary>The policy as others see it.</summary>
    private sealed class Playing(GreedyPolicy policy) : IPolicy
    {
        public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random) => policy.Act(observation, actionMask, random);
    }
}
