using System.Globalization;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Families.Gan;

/// <summary>
/// The training step of a GAN: the discriminator learns from real and generated samples, then the generator from the discriminator's
/// judgment of the same generated samples. The loss is that of the discriminator.
/// </summary>
internal sealed class GanStep : TrainingStep<RowBatch>
{
    private const string GeneratorLoss = "generatorLoss";
    private const string RealRecognized = "realRecognized";
    private const string GeneratedRecognized = "generatedRecognized";
    private const string Spread = "spread";

    // Of 256 real samples, 256 generated ones of a good generator have .9 to 1.1.
    private const double CollapsedSpread = 0.5;
    private const double ScatteredSpread = 2;

    // The share of samples that are recognized when nothing that the generator does makes a difference.
    private const double LostGame = 0.995;

    private readonly TrainedNetwork _generator;
    private readonly TrainedNetwork _discriminator;
    private readonly GeneratorArchitecture _shape;
    private readonly DiscriminatorArchitecture _judge;
    private readonly Parameter[] _judgeWeights;
    private readonly GanOptions _options;
    private readonly SampleSpread _spread;
    private readonly SamplePicture _picture;
    private readonly Generator _random = new(device: CPU);
    private readonly Means _means = new();
    private readonly int _seed;
    private double _lastSpread = 1;
    private readonly HostTensor<long> _discriminatorSteps = new(1); // since the generator's last one
    private int _epoch;

    /// <param name="generator">The generator; owned by the step.</param>
    /// <param name="discriminator">The discriminator; owned by the step.</param>
    /// <param name="options">The options.</param>
    /// <param name="spread">Measures the variety of generated samples; owned by the step.</param>
    /// <param name="seed">The seed of noise and augmentation.</param>
    public GanStep(TrainedNetwork generator, TrainedNetwork discriminator, GanOptions options, SampleSpread spread, int seed)
    {
        (_generator, _discriminator, _options, _spread, _seed) = (generator, discriminator, options, spread, seed);
        _shape = (GeneratorArchitecture)generator.Architecture;
        _judge = (DiscriminatorArchitecture)discriminator.Architecture;
        _judgeWeights = discriminator.Module.parameters().ToArray();
        _picture = new SamplePicture(_shape, options);
        Networks = [generator, discriminator];
    }

    public override IReadOnlyList<TrainedNetwork> Networks { get; }

    /// <summary>A generator's step may need those of the discriminator in several epochs.</summary>
    public override IReadOnlyList<(string Name, Tensor Value)> State =>
        _options.DiscriminatorSteps == 1 ? [] : [("discriminatorSteps", _discriminatorSteps.Tensor)];

    /// <summary>In a game, one loss rises when the other falls.</summary>
    public override bool LowersLoss => false;

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _epoch = epoch;
        Reseed(epoch);
        _means.Clear();
    }

    public override double Train(RowBatch batch, double learningRate, MetricSums metrics)
    {
        var (real, labels) = SampleSpread.Read(batch, _shape);
        var isGeneratorsTurn = ++_discriminatorSteps[0] >= _options.DiscriminatorSteps;
        if (isGeneratorsTurn)
            _discriminatorSteps[0] = 0;
        var generated = Generate((int)real.shape[0], labels, withGradient: isGeneratorsTurn);
        var loss = TrainDiscriminator(real, generated.detach(), labels, batch.EpochFraction);
        if (!double.IsFinite(loss) || !isGeneratorsTurn)
            return loss;
        var other = TrainGenerator(generated, labels, learningRate);
        return double.IsFinite(other) ? loss : other;
    }

    public override void BeginValidation()
    {
        base.BeginValidation();
        Reseed(0);
    }

    public override double? Validate(RowBatch batch, MetricSums metrics)
    {
        using var mode = inference_mode();
        var (real, labels) = SampleSpread.Read(batch, _shape);
        var (ofReal, ofGenerated) = Judge(real, Generate((int)real.shape[0], labels, withGradient: false), labels);
        metrics.Add(RealRecognized, AdversarialLosses.ShareRight(ofReal, ofGenerated, _options.Loss, out var right) * batch.RowCount);
        metrics.Add(GeneratedRecognized, right * batch.RowCount);
        return AdversarialLosses.OfDiscriminator(_options.Loss, ofReal, ofGenerated, _options.LabelSmoothing).item<float>();
    }

    public override double LossAfter(RowBatch batch)
    {
        using var mode = inference_mode();
        foreach (var network in Networks)
            network.BeginValidation();
        var (real, labels) = SampleSpread.Read(batch, _shape);
        var (ofReal, ofGenerated) = Judge(real, Generate((int)real.shape[0], labels, withGradient: false), labels);
        return AdversarialLosses.OfDiscriminator(_options.Loss, ofReal, ofGenerated, _options.LabelSmoothing).item<float>();
    }

    public override void EndEpoch(MetricSums metrics)
    {
        foreach (var (name, mean) in _means.Values)
            metrics.AddMean(name, mean);
        using var mode = inference_mode();
        using var result = _generator.UseResult();
        _generator.BeginValidation();
        _lastSpread = _spread.Measure(_generator);
        metrics.AddMean(Spread, _lastSpread);
    }

    public override IEnumerable<StepPicture> Draw(int epoch)
    {
        if (!_picture.IsWanted(epoch))
            return [];
        using var mode = inference_mode();
        using var result = _generator.UseResult();
        _generator.BeginValidation();
        return [_picture.Draw(_generator, epoch)];
    }

    public override IEnumerable<string> Diagnose()
    {
        if (_lastSpread < CollapsedSpread)
            yield return string.Create(CultureInfo.InvariantCulture, $"Generated samples differ by {_lastSpread:P0} of what real ones differ by: the generator makes too few kinds of samples. Try PackSize = 2, a smaller LearningRate, spectral normalization in the discriminator, or more Epochs.");
        if (_lastSpread > ScatteredSpread)
            yield return string.Create(CultureInfo.InvariantCulture, $"The generator did not learn: generated samples differ {_lastSpread:G3} times as much as real ones. Try a smaller LearningRate.");
        else if (_options.Loss != AdversarialLoss.WassersteinGradientPenalty && _means.Of(RealRecognized) >= LostGame && _means.Of(GeneratedRecognized) >= LostGame)
            yield return "The generator did not learn: the discriminator recognized all real and all generated samples of the last epoch. Try a smaller DiscriminatorLearningRate, a smaller discriminator, or spectral normalization in it.";
    }

    public override void Dispose()
    {
        base.Dispose();
        _spread.Dispose();
        _picture.Dispose();
        _random.Dispose();
        _discriminatorSteps.Dispose();
    }

    private double TrainDiscriminator(Tensor real, Tensor generated, Tensor? labels, double epochFraction)
    {
        var (ofReal, ofGenerated) = Judge(real, generated, labels);
        var loss = AdversarialLosses.OfDiscriminator(_options.Loss, ofReal, ofGenerated, _options.LabelSmoothing);
        if (_options.Loss == AdversarialLoss.WassersteinGradientPenalty)
            loss = loss.add(AdversarialLosses.GradientPenalty(_discriminator.Forward, InputOf(real, labels), InputOf(generated, labels), _judge.SampleSize * _judge.PackSize, _random), Number.Of(_options.GradientPenalty));
        var value = _discriminator.Descend(loss, _options.DiscriminatorRateAt(_epoch - 1 + epochFraction));
        using var noGradient = no_grad();
        _means.Add(RealRecognized, AdversarialLosses.ShareRight(ofReal, ofGenerated, _options.Loss, out var right));
        _means.Add(GeneratedRecognized, right);
        return value;
    }

    /// <summary>The discriminator's weights need no gradients here: a third of its work.</summary>
    private double TrainGenerator(Tensor generated, Tensor? labels, double learningRate)
    {
        foreach (var weight in _judgeWeights)
            weight.requires_grad_(false);
        try
        {
            var judgment = _discriminator.Forward(InputOf(Augment(generated), labels));
            var loss = _generator.Descend(AdversarialLosses.OfGenerator(_options.Loss, judgment), learningRate);
            _means.Add(GeneratorLoss, loss);
            return loss;
        }
        finally
        {
            foreach (var weight in _judgeWeights)
                weight.requires_grad_(true);
        }
    }

    /// <summary>The logits of real and generated samples.</summary>
    private (Tensor Real, Tensor Generated) Judge(Tensor real, Tensor generated, Tensor? labels)
    {
        var (first, second) = (InputOf(Augment(real), labels), InputOf(Augment(generated), labels));
        // Statistics of a batch that is half real would tell the discriminator what it is to find out.
        if (_judge.HasBatchNormalization)
            return (_discriminator.Forward(first), _discriminator.Forward(second));
        var logits = _discriminator.Forward(cat([first, second], 0));
        var rows = logits.shape[0] / 2;
        return (logits.narrow(0, 0, rows), logits.narrow(0, rows, rows));
    }

    /// <summary>Packs samples, and puts the labels behind them.</summary>
    private Tensor InputOf(Tensor samples, Tensor? labels)
    {
        var packs = samples.shape[0] / _judge.PackSize;
        var packed = samples.reshape(packs, -1);
        return labels is null ? packed : cat([packed, labels.reshape(packs, -1)], 1);
    }

    private Tensor Augment(Tensor samples) =>
        _options.Augmentation == DifferentiableAugmentation.None || !_generator.Module.training ? samples : Augmenter.Apply(_options.Augmentation, samples, _shape.Image!, _random);

    private Tensor Generate(int rows, Tensor? labels, bool withGradient)
    {
        using var mode = set_grad_enabled(withGradient);
        var share = _generator.Module.training ? Distributed.ShareOf(_options.Distributed) : Share.Whole;
        var noise = _shape.LatentDistribution == LatentDistribution.Normal
            ? share.Draw(rows, count => randn([count, _shape.LatentSize], dtype: ScalarType.Float32, device: CPU, generator: _random))
            : share.Draw(rows, count => rand([count, _shape.LatentSize], dtype: ScalarType.Float32, device: CPU, generator: _random)).mul(Number.Of(2)).sub_(Number.One);
        return _generator.Forward(SampleSpread.Join(noise.to(_generator.Device), labels));
    }

    private void Reseed(int epoch) => _random.manual_seed((long)(SeedSequence.Derive(_seed, SeedSequence.AdversarialNoise, epoch) >> 1));

    /// <summary>Means of what is not measured in every batch.</summary>
    private sealed class Means
    {
        private readonly Dictionary<string, (double Sum, int Count)> _sums = [];

        public IEnumerable<(string Name, double Mean)> Values => _sums.Select(entry => (entry.Key, entry.Value.Sum / entry.Value.Count));

        public void Add(string name, double value)
        {
            var (sum, count) = _sums.GetValueOrDefault(name);
            _sums[name] = (sum + value, count + 1);
        }

        public double Of(string name) => _sums.TryGetValue(name, out var entry) ? entry.Sum / entry.Count : 0;

        public void Clear() => _sums.Clear();
    }
}
