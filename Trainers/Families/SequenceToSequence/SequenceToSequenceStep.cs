using MLExtensions.Engine;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>
/// The training step of a sequence-to-sequence network. The loss is the mean cross entropy per token of the targets, ends included; padding has
/// no part in it.
/// </summary>
internal sealed class SequenceToSequenceStep : TrainingStep<PairBatch>
{
    private const string Perplexity = "perplexity";

    private readonly SequenceToSequenceNetwork _network;
    private readonly SequenceToSequenceEstimator.Options _options;
    private readonly OutputLoss _loss;
    private readonly int _seed;
    private SplitMix64 _random;
    private int _epoch;

    /// <param name="network">The network; owned by the step.</param>
    /// <param name="options">The options.</param>
    /// <param name="seed">The seed of what is drawn.</param>
    public SequenceToSequenceStep(TrainedNetwork network, SequenceToSequenceEstimator.Options options, int seed)
    {
        Networks = [network];
        _network = (SequenceToSequenceNetwork)network.Module;
        (_options, _seed) = (options, seed);
        var precision = options.Precision == Precision.BFloat16 ? Precision.BFloat16 : options.OutputPrecision;
        _loss = options.NumberOfSampledTokens is { } samples ? new SampledSoftmaxLoss(_network, precision, samples, seed) : new FullSoftmaxLoss(_network, precision);
    }

    public override IReadOnlyList<TrainedNetwork> Networks { get; }

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _loss.BeginEpoch(epoch);
        _epoch = epoch;
        _random = new SplitMix64(SeedSequence.Derive(_seed, SeedSequence.TeacherForcing, epoch));
    }

    public override double Train(PairBatch batch, double learningRate, MetricSums metrics)
    {
        var share = _options.TeacherForcing.Share(_epoch - 1 + batch.EpochFraction, _options.Epochs);
        var inputs = share < 1 ? MixInputs(batch, share) : batch.Inputs;
        // Embeddings are looked up and their gradients added by hand: automatic gradients would be as large as the vocabulary.
        var source = LookUp(_network.SourceEmbedding, batch.Source);
        var target = LookUp(_network.TargetEmbedding, inputs);
        var memory = _network.Encode(source, batch.Lengths);
        var tokens = _network.TokensAt(_network.Decode(target, memory, memory.State), batch.Places);
        var features = _network.Read(tokens.Hidden, tokens.Context);
        var (loss, root) = batch.Copies is { } copies ? MixtureLoss(features, tokens, batch.Targets, copies) : PlainLoss(features, batch.Targets);
        if (root is null)
            return loss;
        if (root.requires_grad)
            root.backward();
        AddGradient(_network.SourceEmbedding, batch.Source, source);
        AddGradient(_network.TargetEmbedding, inputs, target);
        Networks[0].Apply(learningRate);
        metrics.Add(Perplexity, loss * batch.RowCount, MetricMean.Exponential);
        return loss;
    }

    public override double? Validate(PairBatch batch, MetricSums metrics)
    {
        var loss = Measure(batch);
        metrics.Add(Perplexity, loss * batch.RowCount, MetricMean.Exponential);
        return loss;
    }

    public override double LossAfter(PairBatch batch)
    {
        Networks[0].BeginValidation();
        return Measure(batch);
    }

    public override void Dispose()
    {
        _loss.Dispose();
        base.Dispose();
    }

    private double Measure(PairBatch batch)
    {
        using var mode = inference_mode();
        var tokens = _network.TokensAt(Decode(batch, batch.Inputs), batch.Places);
        return -_network.LogProbabilities(tokens, batch.Targets, batch.Copies).mean().item<float>();
    }

    private Decoded Decode(PairBatch batch, Tensor inputs)
    {
        var memory = _network.Encode(SequenceToSequenceNetwork.Embed(_network.SourceEmbedding, batch.Source), batch.Lengths);
        return _network.Decode(SequenceToSequenceNetwork.Embed(_network.TargetEmbedding, inputs), memory, memory.State);
    }

    /// <summary>Replaces some of the tokens that the decoder reads by those that it predicts when it reads the right ones.</summary>
    private Tensor MixInputs(PairBatch batch, double share)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var tokens = _network.TokensAt(Decode(batch, batch.Inputs), null);
        var copies = batch.Copies?.repeat_interleave(batch.Inputs.shape[0], dim: 0); // all steps of a row have its source
        var predicted = _network.Distribution(tokens, copies, batch.ExtraWords).argmax(1);
        if (batch.ExtraWords > 0)
            predicted = predicted.masked_fill(predicted.ge(Number.Of((long)_network.VocabularySize)), Number.Of((long)_network.UnknownInput));
        // What is predicted at a step is read at the next one.
        predicted = predicted.view(batch.Inputs.shape[1], batch.Inputs.shape[0]).t();
        predicted = cat([batch.Inputs.narrow(0, 0, 1), predicted.narrow(0, 0, batch.Inputs.shape[0] - 1)]);
        var isRight = new bool[batch.Inputs.NumberOfElements];
        for (var i = 0; i < isRight.Length; i++)
            isRight[i] = _random.NextDouble() < share;
        return where(tensor(isRight, batch.Inputs.shape, ScalarType.Bool, batch.Inputs.device), batch.Inputs, predicted).MoveToOuterDisposeScope();
    }

    private TrainedTable Output => TrainedTable.Of(_network.OutputWeight);

    private static Tensor LookUp(Tensor table, Tensor tokens)
    {
        Tensor embedded;
        using (no_grad())
            embedded = SequenceToSequenceNetwork.Embed(table, tokens);
        return table.requires_grad ? embedded.requires_grad_(true) : embedded;
    }

    private static void AddGradient(Tensor table, Tensor tokens, Tensor embedded)
    {
        if (!table.requires_grad || embedded.grad is not { } gradient)
            return;
        using var noGradient = no_grad();
        table.grad!.index_add_(0, tokens.view(-1), gradient.view(tokens.NumberOfElements, -1).to(table.dtype), Number.One);
    }

    private (double Loss, Tensor? Root) PlainLoss(Tensor features, Tensor targets)
    {
        double loss;
        Tensor? gradient;
        using (no_grad())
            (loss, gradient) = _loss.Backward(features.detach(), targets, Output);
        return (loss, gradient is null ? null : (features * gradient).sum());
    }

    private (double Loss, Tensor? Root) MixtureLoss(Tensor features, DecodedTokens tokens, Tensor targets, Tensor copies)
    {
        Tensor written;
        Func<Tensor, Tensor> backward;
        using (no_grad())
            (written, backward) = ((FullSoftmaxLoss)_loss).Forward(features.detach(), _network.InVocabulary(targets), Output);
        var mixture = CopyMixture.Of(_network, tokens, written, targets, copies);
        var loss = mixture.LogProbabilities.mean().neg();
        var value = loss.item<float>();
        if (!float.IsFinite(value))
            return (value, null);
        // The output layer has a part in a token as far as the token is written rather than copied.
        using var noGradient = no_grad();
        var derivative = (mixture.Written - mixture.LogProbabilities).detach().exp().div(Number.Of(-(double)targets.shape[0]));
        var gradient = backward(derivative);
        using var withGradient = enable_grad();
        return (value, loss.add((features * gradient).sum(), Number.One));
    }
}
