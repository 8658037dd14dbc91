namespace MLExtensions.Training.Data;

/// <summary>What is known of the labels before training: how many, of which classes, on which scale.</summary>
internal sealed class LabelSummary
{
    private readonly long[] _classCounts;
    private readonly double[] _classWeightSums;
    private double _mean;
    private double _squares;

    /// <param name="classCount">The number of classes; 0 for regression.</param>
    public LabelSummary(int classCount)
    {
        _classCounts = new long[classCount];
        _classWeightSums = new double[classCount];
    }

    public long RowCount { get; private set; }

    /// <summary>The sum of the example weights.</summary>
    public double WeightSum { get; private set; }

    /// <summary>The sum of the example weights of each class.</summary>
    public IReadOnlyList<double> ClassWeightSums => _classWeightSums;

    public IReadOnlyList<long> ClassCounts => _classCounts;

    /// <summary>The mean of the labels, each counted with its example weight.</summary>
    public double Mean => _mean;

    /// <summary>The weighted standard deviation of the labels; 1 where they are all the same, so that dividing by it is harmless.</summary>
    public double StandardDeviation
    {
        get
        {
            var deviation = Math.Sqrt(_squares / WeightSum);
            return deviation > Math.Abs(_mean) * 1e-7 && deviation > float.Epsilon ? deviation : 1;
        }
    }

    public void Add(float label, float weight)
    {
        RowCount++;
        WeightSum += weight;
        if (weight > 0)
        {
            // West, 1979: stable where labels are large and close together.
            var delta = label - _mean;
            _mean += delta * weight / WeightSum;
            _squares += weight * delta * (label - _mean);
        }
        if (_classCounts.Length > 0)
        {
            _classCounts[(int)label]++;
            _classWeightSums[(int)label] += weight;
        }
    }
}
