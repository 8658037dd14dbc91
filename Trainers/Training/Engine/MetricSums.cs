using MLExtensions.History;

namespace MLExtensions.Training.Engine;

/// <summary>Sums of an epoch's losses and metrics over its examples.</summary>
internal sealed class MetricSums
{
    private readonly Dictionary<string, (double Sum, MetricMean Mean)> _sums = [];
    private double _loss;

    public long Examples { get; private set; }

    /// <summary>The mean loss of an example.</summary>
    public double Loss => Examples == 0 ? 0 : _loss / Examples;

    /// <summary>Adds a batch's mean loss.</summary>
    public void AddLoss(double mean, int examples)
    {
        _loss += mean * examples;
        Examples += examples;
    }

    /// <summary>Adds to a metric of which some mean over the examples is reported.</summary>
    public void Add(string metric, double sum, MetricMean mean = MetricMean.Arithmetic)
    {
        _sums.TryGetValue(metric, out var before);
        _sums[metric] = (before.Sum + sum, mean);
    }

    /// <summary>Adds a metric that was measured at the end, as one mean.</summary>
    public void AddMean(string metric, double mean) => Add(metric, mean * Examples);

    public IReadOnlyDictionary<string, double> ToValues()
    {
        var values = new Dictionary<string, double> { [MetricValues.Loss] = Loss };
        foreach (var (metric, (sum, kind)) in _sums)
        {
            var mean = sum / Math.Max(1, Examples);
            values[metric] = kind switch
            {
                MetricMean.RootOfSquares => Math.Sqrt(mean),
                MetricMean.Exponential => Math.Exp(mean),
                _ => mean,
            };
        }
        return values;
    }
}

/// <summary>What is made of a metric's sum.</summary>
internal enum MetricMean
{
    /// <summary>The mean.</summary>
    Arithmetic,

    /// <summary>The root of the mean: squares are added.</summary>
    RootOfSquares,

    /// <summary>The exponential of the mean: logarithms are added.</summary>
    Exponential,
}
