using MLExtensions.Engine;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// The training step of a language model. The state after a batch is the initial state of the next one, without gradients between the two
/// (truncated backpropagation through time; Williams and Peng, 1990).
/// </summary>
internal sealed class LanguageModelStep : TrainingStep<TokenBatch>
{
    private const string Perplexity = "perplexity";

    private readonly LanguageModelNetwork _network;
    private readonly OutputLoss _loss;
    private readonly CarriedState _state = new();
    private readonly CarriedState _validationState = new();

    /// <param name="network">The network; owned by the step.</param>
    /// <param name="options">The options.</param>
    /// <param name="seed">The seed of sampled tokens.</param>
    public LanguageModelStep(TrainedNetwork network, LanguageModelEstimator.Options options, int seed)
    {
        Networks = [network];
        _network = (LanguageModelNetwork)network.Module;
        var precision = options.Precision == Precision.BFloat16 ? Precision.BFloat16 : options.OutputPrecision;
        _loss = options.NumberOfSampledTokens is { } samples
            ? new SampledSoftmaxLoss(_network, precision, samples, seed) { ReadsLossLast = network.ReadsLossLast }
            : new FullSoftmaxLoss(_network, precision) { ReadsLossLast = network.ReadsLossLast };
    }

    public override IReadOnlyList<TrainedNetwork> Networks { get; }

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _loss.BeginEpoch(epoch);
        _state.Clear();
    }

    public override double Train(TokenBatch batch, double learningRate, MetricSums metrics)
    {
        // The embedding is looked up and its gradient added by hand: automatic gradients would be as large as the vocabulary.
        TrainedVectors vectors;
        Tensor embedded;
        using (no_grad())
        {
            vectors = new TrainedVectors(_network);
            embedded = LanguageModelNetwork.Embed(batch.Inputs, vectors.Embedding.Weight);
        }
        if (vectors.AreTrained)
            embedded.requires_grad_(true);
        var (hidden, state) = _network.Run(embedded, batch.StartsRows ? null : _state.Value);
        if (!batch.StartsRows)
            _state.Keep(state);
        hidden = batch.Predicted(hidden);
        using var noGradient = no_grad();
        var (loss, gradient) = _loss.Backward(hidden.detach(), batch.Targets, vectors.Output);
        if (gradient is null)
            return loss;
        if (hidden.requires_grad)
            hidden.backward([gradient]);
        vectors.AddGradients(batch.Inputs, embedded);
        Networks[0].Apply(learningRate);
        loss = _loss.ReadLoss(loss);
        metrics.Add(Perplexity, loss * batch.RowCount, MetricMean.Exponential);
        return loss;
    }

    public override void BeginValidation()
    {
        base.BeginValidation();
        _validationState.Clear();
    }

    public override double? Validate(TokenBatch batch, MetricSums metrics)
    {
        using var mode = inference_mode();
        var (loss, state) = LossOf(batch, batch.StartsRows ? null : _validationState.Value);
        if (!batch.StartsRows)
            _validationState.Keep(state);
        metrics.Add(Perplexity, loss * batch.RowCount, MetricMean.Exponential);
        return loss;
    }

    public override double LossAfter(TokenBatch batch)
    {
        using var mode = inference_mode();
        Networks[0].BeginValidation();
        return LossOf(batch, null).Loss;
    }

    private (double Loss, Tensor[] State) LossOf(TokenBatch batch, Tensor[]? before)
    {
        var vectors = _network.Vectors();
        var (hidden, state) = _network.Run(LanguageModelNetwork.Embed(batch.Inputs, vectors), before);
        return (nn.functional.cross_entropy(_network.Logits(batch.Predicted(hidden), vectors).to(ScalarType.Float32), batch.Targets).item<float>(), state);
    }

    public override void Dispose()
    {
        _state.Clear();
        _validationState.Clear();
        _loss.Dispose();
        base.Dispose();
    }
}
