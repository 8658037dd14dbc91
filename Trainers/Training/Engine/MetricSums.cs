using MLExtensions.History;

namespace MLExtensions.Training.Engine;

/// <summary>Sums of an epoch's losses and metrics over its examples.</summary>
internal sealed class MetricSums
{
    private readonly Dictionary<string, (double Sum, bool IsSquare)> _sums = [];
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

    /// <summary>Adds to a metric whose mean over the examples is reported, or the root of the mean where squares are added.</summary>
    public void Add(string metric, double sum, bool isSquare = false)
    {
        _sums.TryGetValue(metric, out var before);
        _sums[metric] = (before.Sum + sum, isSquare);
    }

    public IReadOnlyDictionary<string, double> ToValues()
    {
        var values = new Dictionary<string, double> { [MetricValues.Loss] = Loss };
        foreach (var (metric, (sum, isSquare)) in _sums)
        {
            var mean = sum / Math.Max(1, Examples);
            values[metric] = isSquare ? Math.Sqrt(mean) : mean;
        }
        return values;
    }
}
