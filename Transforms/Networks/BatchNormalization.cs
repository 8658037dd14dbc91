using MLExtensions.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Networks;

/// <summary>Sums numbers over all processes of a training, in place.</summary>
internal delegate void SumOverRanks(Span<double> values);

/// <summary>
/// Batch normalization of vectors or images (Ioffe and Szegedy, 2015), float32 on the CPU until it is moved. Processes that train together can
/// share the statistics of their rows.
/// </summary>
internal sealed class BatchNormalization : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly Tensor running_mean;
    private readonly Tensor running_var;
    private readonly Tensor num_batches_tracked;
    private readonly double _epsilon;
    private readonly double _momentum;

    public BatchNormalization(long channels, double epsilon, double momentum)
        : base(nameof(BatchNormalization))
    {
        (_epsilon, _momentum) = (epsilon, momentum);
        weight = new Parameter(ones(channels, ScalarType.Float32, CPU));
        bias = Layers.Weights(channels);
        running_mean = zeros(channels, ScalarType.Float32, CPU);
        running_var = ones(channels, ScalarType.Float32, CPU);
        num_batches_tracked = tensor(0L, ScalarType.Int64, CPU);
        RegisterComponents();
    }

    /// <summary>Set by the engine to share the statistics of each batch; null for those of the own rows.</summary>
    public SumOverRanks? Sum { get; set; }

    public override Tensor forward(Tensor x)
    {
        if (!training)
            return nn.functional.batch_norm(x, running_mean, running_var, weight, bias, training: false, _momentum, _epsilon);
        using (no_grad())
            num_batches_tracked.add_(Number.One, Number.One);
        if (Sum == null)
            return nn.functional.batch_norm(x, running_mean, running_var, weight, bias, training: true, _momentum, _epsilon);
        using var scope = NewDisposeScope();
        var statistics = SharedStatistics.Of(x.detach(), Sum);
        statistics.MoveAverages(running_mean, running_var, _momentum);
        return SharedNormalization.apply(x, weight, bias, statistics.Center, statistics.Scale(_epsilon), statistics).MoveToOuterDisposeScope();
    }
}

/// <summary>The statistics of the rows of all processes.</summary>
file sealed class SharedStatistics
{
    private readonly double _count;

    private SharedStatistics(Tensor center, Tensor variance, double count, long[] dimensions, SumOverRanks sum)
    {
        (Center, Variance, _count, Dimensions, Sum) = (center, variance, count, dimensions, sum);
    }

    /// <summary>The mean of each channel.</summary>
    public Tensor Center { get; }

    /// <summary>The biased variance of each channel.</summary>
    private Tensor Variance { get; }

    /// <summary>All dimensions of the input but the channels.</summary>
    public long[] Dimensions { get; }

    private SumOverRanks Sum { get; }

    public static SharedStatistics Of(Tensor x, SumOverRanks sum)
    {
        var dimensions = Enumerable.Range(0, (int)x.dim()).Where(i => i != 1).Select(i => (long)i).ToArray();
        var values = x.to(ScalarType.Float32);
        var (mean, variance) = (Numbers(values.mean(dimensions)), Numbers(values.@var(dimensions, unbiased: false)));
        var (channels, count) = (mean.Length, (double)x.NumberOfElements / mean.Length);
        var sums = new double[(2 * channels) + 1];
        for (var c = 0; c < channels; c++)
            (sums[c], sums[channels + c]) = (count * mean[c], count * (variance[c] + ((double)mean[c] * mean[c])));
        sums[^1] = count;
        sum(sums);
        for (var c = 0; c < channels; c++)
        {
            var center = sums[c] / sums[^1];
            (mean[c], variance[c]) = ((float)center, (float)Math.Max(0, (sums[channels + c] / sums[^1]) - (center * center)));
        }
        return new SharedStatistics(tensor(mean, ScalarType.Float32, x.device), tensor(variance, ScalarType.Float32, x.device), sums[^1], dimensions, sum);
    }

    private static float[] Numbers(Tensor values)
    {
        using var host = values.cpu();
        return TensorMemory.Floats(host).ToArray();
    }

    /// <summary>The reciprocal of each channel's standard deviation.</summary>
    public Tensor Scale(double epsilon) => Variance.add(Number.Of(epsilon), Number.One).rsqrt();

    public void MoveAverages(Tensor means, Tensor variances, double momentum)
    {
        using var noGradient = no_grad();
        means.mul_(Number.Of(1 - momentum)).add_(Center, Number.Of(momentum));
        variances.mul_(Number.Of(1 - momentum)).add_(Variance, Number.Of(momentum * _count / Math.Max(1, _count - 1)));
    }

    /// <summary>Returns the means over all rows of what was summed over the own rows.</summary>
    public (Tensor First, Tensor Second) Means(Tensor first, Tensor second)
    {
        double[] sums = [.. Numbers(first), .. Numbers(second)];
        Sum(sums);
        var means = Array.ConvertAll(sums, value => (float)(value / _count));
        var half = means.Length / 2;
        return (tensor(means[..half], ScalarType.Float32, first.device), tensor(means[half..], ScalarType.Float32, first.device));
    }
}

/// <summary>
/// Normalizes with statistics that the inputs of all processes have a part in. The gradient of an input therefore needs those of all outputs.
/// </summary>
file sealed class SharedNormalization : autograd.SingleTensorFunction<SharedNormalization>
{
    private const string Statistics = "statistics";

    public override string Name => nameof(SharedNormalization);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, weight, bias, center, scale) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2], (Tensor)vars[3], (Tensor)vars[4]);
        ctx.save_data(Statistics, vars[5]);
        ctx.save_for_backward([x, weight, center, scale]);
        using var scope = NewDisposeScope();
        var factor = weight.mul(scale);
        var shift = bias.sub(center.mul(factor));
        return x.mul(ForChannels(factor, x)).add(ForChannels(shift, x), Number.One).to(x.dtype).MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (x, weight, center, scale) = (saved[0], saved[1], saved[2], saved[3]);
        var statistics = (SharedStatistics)ctx.get_data(Statistics);
        var gradient = grad_output.to(ScalarType.Float32);
        var standardized = x.to(ScalarType.Float32).sub(ForChannels(center, x)).mul(ForChannels(scale, x));
        var (ofBias, ofWeight) = (gradient.sum(statistics.Dimensions), gradient.mul(standardized).sum(statistics.Dimensions));
        var (mean, product) = statistics.Means(ofBias, ofWeight);
        var ofInput = gradient.sub(ForChannels(mean, x)).sub(standardized.mul(ForChannels(product, x))).mul(ForChannels(weight.mul(scale), x)).to(x.dtype);
        return [ofInput.MoveToOuterDisposeScope(), ofWeight.MoveToOuterDisposeScope(), ofBias.MoveToOuterDisposeScope(), null!, null!, null!];
    }

    private static Tensor ForChannels(Tensor values, Tensor x) => values.view([1, -1, .. Enumerable.Repeat(1L, (int)x.dim() - 2)]);
}
