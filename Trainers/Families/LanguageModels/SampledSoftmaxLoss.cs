using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// The loss over the target token and some sampled ones. Each logit is corrected by how often its token is drawn (Jean et al., 2015).
/// Tokens are drawn log-uniformly by their index, which is their frequency rank; all examples of a batch share the same sample.
/// </summary>
internal sealed class SampledSoftmaxLoss(IOutputLayer network, Precision precision, int samples, int seed) : OutputLoss(network, precision)
{
    private readonly Sampler _sampler = new((int)network.OutputBias.shape[0], samples);
    private SplitMix64 _random;

    public override void BeginEpoch(int epoch) => _random = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.SampledTokens, epoch));

    public override (double Loss, Tensor? HiddenGradient) Backward(Tensor hidden, Tensor targets, TrainedTable output)
    {
        var device = hidden.device;
        var drawn = tensor(_sampler.Draw(ref _random), ScalarType.Int64, device);
        var ids = cat([targets, drawn]);
        var count = targets.shape[0];
        var weight = ForProduct(output.Weight).index_select(0, ids);
        var input = hidden.to(weight.dtype);
        var (rightWeight, drawnWeight) = (weight.narrow(0, 0, count), weight.narrow(0, count, drawn.shape[0]));
        var correction = Network.OutputBias.detach().index_select(0, ids) - _sampler.LogExpected(ids);
        var right = (input * rightWeight).to(ScalarType.Float32).sum(1).add_(correction.narrow(0, 0, count), Number.One);
        var others = input.mm(drawnWeight.t()).to(ScalarType.Float32).add(correction.narrow(0, count, drawn.shape[0]), Number.One);
        // A sampled token that happens to be the target is not a wrong answer.
        others = others.masked_fill(targets.unsqueeze(1) == drawn.unsqueeze(0), Number.Of(-1e30f));
        var gradient = cat([right.unsqueeze(1), others], 1).softmax(1);
        var loss = ToGradient(gradient, zeros(count, 1, dtype: ScalarType.Int64, device: device));
        if (!double.IsFinite(loss))
            return (loss, null);
        gradient.mul_(Number.Of(1.0 / count));
        var (ofRight, ofDrawn) = (gradient.narrow(1, 0, 1), gradient.narrow(1, 1, drawn.shape[0]));
        var ofDrawnProduct = ofDrawn.to(weight.dtype);
        // Frozen weights have no gradient.
        Network.OutputBias.grad?.index_add_(0, ids, cat([ofRight.view(-1), ofDrawn.sum(dim: 0)]).to(Network.OutputBias.dtype), Number.One);
        var weightGradient = cat([ofRight.to(weight.dtype) * input, ofDrawnProduct.t().mm(input)]);
        output.Gradient?.index_add_(0, ids, weightGradient.to(output.Weight.dtype), Number.One);
        return (loss, (ofRight.to(weight.dtype) * rightWeight).add_(ofDrawnProduct.mm(drawnWeight), Number.One).to(hidden.dtype));
    }

    public override void Dispose() => _sampler.Dispose();

    /// <summary>Draws distinct tokens and computes how likely each of them is in the sample.</summary>
    private sealed class Sampler(int vocabulary, int samples) : IDisposable
    {
        private readonly double _logRange = Math.Log(vocabulary + 1.0);
        private readonly Tensor _logExpected = CreateLogExpected(vocabulary, samples).DetachFromDisposeScope();

        public Tensor LogExpected(Tensor ids)
        {
            using var table = _logExpected.to(ids.device);
            return table.index_select(0, ids);
        }

        public long[] Draw(ref SplitMix64 random)
        {
            var drawn = new HashSet<long>();
            while (drawn.Count < samples)
                drawn.Add(Math.Min(vocabulary - 1, (long)Math.Exp(random.NextDouble() * _logRange) - 1));
            return [.. drawn];
        }

        public void Dispose() => _logExpected.Dispose();

        private static Tensor CreateLogExpected(int vocabulary, int samples)
        {
            // Drawing until that many tokens are distinct takes more draws. Their number is estimated from the expected count of distinct tokens.
            var range = Math.Log(vocabulary + 1.0);
            var probabilities = Enumerable.Range(0, vocabulary).Select(id => (Math.Log(id + 2) - Math.Log(id + 1)) / range).ToArray();
            double draws = samples;
            for (var i = 0; i < 50; i++)
                draws *= samples / Math.Max(1e-9, Expected(draws));
            return tensor(probabilities.Select(p => (float)Math.Log(Math.Max(1e-30, -Math.Exp(draws * Math.Log(1 - Math.Min(p, 1 - 1e-12))) + 1))).ToArray(), ScalarType.Float32, CPU);

            double Expected(double count) => probabilities.Sum(p => 1 - Math.Pow(1 - p, count));
        }
    }
}
