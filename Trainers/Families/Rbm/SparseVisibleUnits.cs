using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Rbm;

/// <summary>
/// Adapts training to visible units that are nearly all off, as the words of a text are. Without it the units of a row say so little that the
/// weights hardly move, and what moves them is what all rows have in common, so that all hidden units become the same.
/// </summary>
/// <remarks>
/// The gradient is centered (Cho, Raiko and Ilin, 2011; Montavon and Müller, 2012): means are subtracted from visible and hidden units, and
/// the biases make up for it. The learning rate is scaled to the largest variance of the rows in any direction.
/// </remarks>
internal sealed class SparseVisibleUnits : IDisposable
{
    // Of the mean of all visible units. Images have more.
    private const double MostActive = 0.02;

    // Rows of images have at least that much variance in their main direction.
    private const double UsualVariance = 1.5;
    private const double LargestFactor = 2000;
    private const int PowerSteps = 20;

    private readonly Tensor _mean;

    private SparseVisibleUnits(Tensor mean, double factor)
    {
        _mean = mean;
        RateFactor = factor;
    }

    /// <summary>The factor of the learning rate.</summary>
    public double RateFactor { get; }

    /// <summary>Whether nearly all units are off.</summary>
    public static bool IsSparse(DataStatistics statistics)
    {
        using var scope = NewDisposeScope();
        return statistics.Mean.mean().item<float>() < MostActive;
    }

    /// <summary>Returns null for units that are on more often.</summary>
    public static SparseVisibleUnits? Of(DataStatistics statistics, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        if (!IsSparse(statistics))
            return null;
        var mean = statistics.Mean.to(statistics.Sample.device);
        var rows = statistics.Sample.to(ScalarType.Float32) - mean;
        var direction = ones([mean.shape[0], 1], dtype: ScalarType.Float32, device: mean.device).add(rows[0].view(-1, 1), Number.One);
        var variance = 0f;
        for (var step = 0; step < PowerSteps; step++)
        {
            var next = rows.t().mm(rows.mm(direction));
            var length = next.norm();
            variance = length.item<float>() / rows.shape[0] / direction.norm().item<float>();
            if (!(variance > 0))
                return null;
            direction = next / length;
        }
        return new SparseVisibleUnits(mean.to(type).alias().DetachFromDisposeScope(), Math.Clamp(UsualVariance / variance, 1, LargestFactor));
    }

    /// <summary>Centers gradients, which are changed in place.</summary>
    /// <param name="weight">The gradient of the weights, <c>[hidden, visible]</c>.</param>
    /// <param name="hiddenBias">The gradient of the hidden biases.</param>
    /// <param name="visibleBias">The gradient of the visible biases.</param>
    /// <param name="hiddenMean">The means of the hidden units over a batch.</param>
    public void Center(Tensor weight, Tensor hiddenBias, Tensor visibleBias, Tensor hiddenMean)
    {
        weight.addr_(hiddenBias, _mean, 1, -1);
        weight.addr_(hiddenMean, visibleBias, 1, -1);
        hiddenBias.sub_(weight.mv(_mean));
        visibleBias.sub_(weight.t().mv(hiddenMean));
    }

    public void Dispose() => _mean.Dispose();
}
