using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Gan;

/// <summary>Searches noise whose generated image agrees with the known pixels of an image (Yeh et al., 2017).</summary>
/// <remarks>
/// The loss is that of images from -1 to 1, whatever the range of the generator, so that its factors do not depend on it. Each candidate
/// has a loss of its own, and Adam works on each number of the noise alone: candidates do not influence each other.
/// </remarks>
internal sealed class LatentSearch(InpaintingEstimator.Options options, NetworkModelParameters generator, NetworkModelParameters discriminator)
{
    // Bounds the memory; candidates do not depend on each other.
    private const int CandidatesPerPass = 128;
    private const double MomentDecay = 0.9;
    private const double SquareDecay = 0.999;
    private const double Epsilon = 1e-8;

    private readonly GeneratorArchitecture _architecture = (GeneratorArchitecture)generator.Architecture;
    private readonly DiscriminatorArchitecture _judge = (DiscriminatorArchitecture)discriminator.Architecture;

    private double Scale => _architecture.OutputRange is { } range ? 2 / (range.Maximum - range.Minimum) : 1;

    /// <summary>Searches from all starts.</summary>
    /// <param name="image">The image in the range of the data, with all channels.</param>
    /// <param name="mask">Which pixels are missing.</param>
    /// <param name="onlyClass">The class of the image; null to try all classes, or for a generator without classes.</param>
    /// <returns>The candidates, their images in the range of the data.</returns>
    /// <exception cref="ArithmeticException">No candidate is finite.</exception>
    public IReadOnlyList<InpaintingCandidate> Find(ReadOnlySpan<float> image, InpaintingMask mask, int? onlyClass)
    {
        using var state = TorchState.Enter();
        using var scope = NewDisposeScope();
        var shape = _architecture.Image!;
        var target = tensor(image.ToArray(), [1, _architecture.OutputCount], ScalarType.Float32, CPU);
        if (_architecture is { Values: { } values, OutputRange: { } range })
            target = values.MapTo(range, target);
        var weights = tensor(Weights(mask), [1, mask.Height * mask.Width], ScalarType.Float32, CPU).repeat(1, shape.Channels);
        // What is in the hole is not used; times 0 it could still overflow.
        target = where(weights.gt(Number.Zero), target, zeros_like(target));
        var classes = Math.Max(1, _architecture.ClassCount);
        var restarts = options.Restarts ?? (_architecture.ClassCount > 0 && onlyClass == null ? InpaintingEstimator.Options.DefaultRestartsPerClass : InpaintingEstimator.Options.DefaultRestarts);
        var starts = Enumerable.Range(0, restarts * classes).Select(start => (Start: start, Class: start % classes)).Where(start => onlyClass == null || start.Class == onlyClass);
        var candidates = starts.Chunk(CandidatesPerPass).SelectMany(pass => FindPass(target, weights, pass)).Where(candidate => candidate.IsFinite).ToArray();
        return candidates.Length > 0
            ? candidates
            : throw new ArithmeticException(FormattableString.Invariant($"The search of the noise has left all numbers: the losses of all candidates are NaN or infinite. Try a smaller {nameof(options.LearningRate)} than {options.LearningRate}."));
    }

    /// <summary>The share of missing pixels around each known one, plus the weight of distant ones; all the same if nothing is missing.</summary>
    private float[] Weights(InpaintingMask mask)
    {
        var weights = mask.ContextWeights();
        for (var i = 0; i < weights.Length; i++)
        {
            if (!mask.IsMissing[i])
                weights[i] = mask.NumberOfMissing == 0 ? 1 : weights[i] + (float)options.DistantWeight;
        }
        return weights;
    }

    private InpaintingCandidate[] FindPass(Tensor target, Tensor weights, IReadOnlyList<(int Start, int Class)> starts)
    {
        using var scope = NewDisposeScope();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(3 * starts.Count * (_architecture.MultiplyAdds + (options.DiscriminatorWeight > 0 ? _judge.MultiplyAdds : 0))));
        var noise = zeros([starts.Count, _architecture.LatentSize], ScalarType.Float32, CPU);
        for (var i = 0; i < starts.Count; i++)
            LatentNoise.Draw(_architecture.LatentDistribution, options.Seed, (UInt128)starts[i].Start, TensorMemory.Floats(noise).Slice(i * _architecture.LatentSize, _architecture.LatentSize));
        var labels = Labels(starts);
        Descend(noise, labels, target, weights);
        using (no_grad())
        {
            var (samples, losses) = Judge(noise, labels, target, weights);
            if (_architecture is { Values: { } values, OutputRange: { } range })
                samples = range.MapTo(values, samples);
            var (noises, images, sums) = (Rows(noise), Rows(samples), TensorMemory.Floats(losses.contiguous()).ToArray());
            return starts.Select((start, i) => new InpaintingCandidate(noises[i], start.Class, sums[i], images[i])).ToArray();
        }
    }

    /// <summary>Adam (Kingma and Ba, 2015), with a learning rate that falls to a tenth.</summary>
    private void Descend(Tensor noise, Tensor? labels, Tensor target, Tensor weights)
    {
        var (moments, squares) = (zeros_like(noise), zeros_like(noise));
        for (var step = 1; step <= options.Steps; step++)
        {
            using var scope = NewDisposeScope();
            var leaf = noise.detach().requires_grad_(true);
            var gradient = autograd.grad([Judge(leaf, labels, target, weights).Losses.sum()], [leaf])[0];
            var rate = options.LearningRate * (1 - (0.9 * (step - 1) / options.Steps)) / (1 - Math.Pow(MomentDecay, step));
            moments.mul_(Number.Of(MomentDecay)).add_(gradient, Number.Of(1 - MomentDecay));
            squares.mul_(Number.Of(SquareDecay)).addcmul_(gradient, gradient, Number.Of(1 - SquareDecay));
            var scale = squares.div(Number.Of(1 - Math.Pow(SquareDecay, step))).sqrt_().add_(Number.Of(Epsilon), Number.One);
            noise.addcdiv_(moments, scale, Number.Of(-rate));
            if (_architecture.LatentDistribution == LatentDistribution.Uniform)
                noise.clamp_(Number.Of(-1.0), Number.One);
        }
    }

    private (Tensor Samples, Tensor Losses) Judge(Tensor noise, Tensor? labels, Tensor target, Tensor weights)
    {
        var samples = generator.Network.call(labels is null ? noise : cat([noise, labels], 1));
        var losses = samples.sub(target).abs().mul(weights).sum(1).mul(Number.Of(Scale));
        if (options.PriorWeight > 0 && _architecture.LatentDistribution == LatentDistribution.Normal)
            losses = losses.add(noise.pow(Number.Of(2)).sum(1), Number.Of(options.PriorWeight));
        if (options.DiscriminatorWeight > 0)
            losses = losses.add(nn.functional.logsigmoid(discriminator.Network.call(ForDiscriminator(samples, labels)).reshape(-1)).neg(), Number.Of(options.DiscriminatorWeight));
        return (samples, losses);
    }

    private Tensor ForDiscriminator(Tensor samples, Tensor? labels)
    {
        var pack = Enumerable.Repeat(samples, _judge.PackSize);
        return cat((labels is null || _judge.ClassCount == 0 ? pack : pack.Concat(Enumerable.Repeat(labels, _judge.PackSize))).ToArray(), 1);
    }

    private Tensor? Labels(IReadOnlyList<(int Start, int Class)> starts)
    {
        if (_architecture.ClassCount == 0)
            return null;
        var labels = zeros([starts.Count, _architecture.ClassCount], ScalarType.Float32, CPU);
        var values = TensorMemory.Floats(labels);
        for (var i = 0; i < starts.Count; i++)
            values[(i * _architecture.ClassCount) + starts[i].Class] = 1;
        return labels;
    }

    private static float[][] Rows(Tensor rows) => TensorMemory.Floats(rows.contiguous()).ToArray().Chunk((int)rows.shape[1]).ToArray();
}

/// <summary>What a search has found from one start.</summary>
/// <param name="Noise">The noise.</param>
/// <param name="Class">The class, from 0.</param>
/// <param name="Loss">The loss.</param>
/// <param name="Image">The image that is generated from it, in the range of the data.</param>
internal sealed record InpaintingCandidate(float[] Noise, int Class, float Loss, float[] Image)
{
    /// <summary>Whether there are neither NaN nor infinite numbers in it.</summary>
    public bool IsFinite => float.IsFinite(Loss) && FiniteCheck.FirstNonFinite(Noise) < 0 && FiniteCheck.FirstNonFinite(Image) < 0;
}
