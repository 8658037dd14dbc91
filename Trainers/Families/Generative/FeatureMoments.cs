using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Generative;

/// <summary>Sums over rows of features from which mean and covariance are computed, in float64.</summary>
internal sealed class FeatureMoments : IDisposable
{
    private readonly Tensor _origin;
    private readonly Tensor _sum;
    private readonly Tensor _products;

    /// <param name="origin">
    /// <c>[features]</c>, float64: a point near the rows, subtracted from each, so that large numbers that are close together keep their
    /// digits. The caller keeps it alive.
    /// </param>
    public FeatureMoments(Tensor origin)
    {
        var width = origin.shape[0];
        _origin = origin;
        _sum = zeros([width], ScalarType.Float64, CPU).DetachFromDisposeScope();
        _products = zeros([width, width], ScalarType.Float64, CPU).DetachFromDisposeScope();
    }

    public long Count { get; private set; }

    /// <summary>Adds rows: <c>[rows, features]</c>.</summary>
    public void Add(Tensor rows)
    {
        using var scope = NewDisposeScope();
        var moved = rows.to(ScalarType.Float64).sub_(_origin);
        _sum.add_(moved.sum([0]), Number.One);
        _products.add_(moved.t().mm(moved), Number.One);
        Count += rows.shape[0];
    }

    /// <summary>Adds the rows of moments with the same origin.</summary>
    public void Add(FeatureMoments other)
    {
        _sum.add_(other._sum, Number.One);
        _products.add_(other._products, Number.One);
        Count += other.Count;
    }

    /// <summary>The normal distribution with the mean and the covariance of the rows, of which there are at least two.</summary>
    public NormalDistribution ToDistribution()
    {
        using var scope = NewDisposeScope();
        var mean = _sum.div(Number.Of(Count));
        var covariance = _products.sub(mean.outer(_sum)).div_(Number.Of(Count - 1));
        return new NormalDistribution(mean.add(_origin, Number.One).DetachFromDisposeScope(), covariance.DetachFromDisposeScope());
    }

    public void Dispose()
    {
        _sum.Dispose();
        _products.Dispose();
    }
}

/// <summary>A multivariate normal distribution. It owns its tensors.</summary>
/// <param name="Mean"><c>[features]</c>, float64.</param>
/// <param name="Covariance"><c>[features, features]</c>, float64.</param>
internal sealed record NormalDistribution(Tensor Mean, Tensor Covariance) : IDisposable
{
    /// <summary>The Fréchet distance (squared 2-Wasserstein distance) of two normal distributions (Dowson and Landau, 1982).</summary>
    /// <returns>The squared distance of the means, and what the covariances add to it.</returns>
    public FrechetTerms DistanceTo(NormalDistribution other)
    {
        using var scope = NewDisposeScope();
        // C1 C2 is not symmetric, but it has the eigenvalues of S C2 S with S the root of C1, and with S = V W V' those of W V' C2 V W.
        var (values, vectors) = linalg.eigh(Covariance);
        var root = vectors.mul_(values.clamp_min_(Number.Zero).sqrt_());
        var product = root.t().mm(other.Covariance).mm(root);
        var trace = linalg.eigvalsh(product).clamp_min_(Number.Zero).sqrt_().sum();
        var apart = Mean.sub(other.Mean);
        var means = apart.dot(apart).item<double>();
        var covariances = Covariance.trace().item<double>() + other.Covariance.trace().item<double>() - (2 * trace.item<double>());
        return new FrechetTerms(means, Math.Max(0, covariances)); // equal covariances can give less than 0 by rounding
    }

    public void Dispose()
    {
        Mean.Dispose();
        Covariance.Dispose();
    }
}

/// <summary>The two parts of a Fréchet distance.</summary>
internal readonly record struct FrechetTerms(double Means, double Covariances)
{
    public double Sum => Means + Covariances;
}
