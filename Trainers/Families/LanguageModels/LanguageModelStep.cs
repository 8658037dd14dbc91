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
        _loss = options.NumberOfSampledTokens is { } samples ? new SampledSoftmaxLoss(_network, precision, samples, seed) : new FullSoftmaxLoss(_network, precision);
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
        var embedding = _network.EmbeddingWeight;
        Tensor embedded;
        using (no_grad())
            embedded = _network.Embed(batch.Inputs);
        var isTrained = embedding.requires_grad;
        if (isTrained)
            embedded.requires_grad_(true);
        var (hidden, state) = _network.Run(embedded, _state.Value);
        _state.Keep(state);
        using var noGradient = no_grad();
        var (loss, gradient) = _loss.Backward(hidden.detach(), batch.Targets);
        if (gradient is null)
            return loss;
        if (hidden.requires_grad)
            hidden.backward([gradient]);
        if (isTrained)
            embedding.grad!.index_add_(0, batch.Inputs.view(-1), embedded.grad!.view(batch.RowCount, -1).to(embedding.dtype), Number.One);
        Networks[0].Apply(learningRate);
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
        var (hidden, state) = _network.Run(_network.Embed(batch.Inputs), _validationState.Value);
        _validationState.Keep(state);
        var loss = nn.functional.cross_entropy(_network.Logits(hidden).to(ScalarType.Float32), batch.Targets).item<float>();
        metrics.Add(Perplexity, loss * batch.RowCount, MetricMean.Exponential);
        return loss;
    }

    public override double LossAfter(TokenBatch batch)
    {
        using var mode = inference_mode();
        Networks[0].BeginValidation();
        var (hidden, _) = _network.Run(_network.Embed(batch.Inputs), null);
        return nn.functional.cross_entropy(_network.Logits(hidden).to(ScalarType.Float32), batch.Targets).item<float>();
    }

    public override void Dispose()
    {
        _state.Clear();
        _validationState.Clear();
        _loss.Dispose();
        base.Dispose();
    }
}
