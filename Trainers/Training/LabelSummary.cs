namespace MLExtensions.Training;

/// <summary>What is known about the labels before training: their number, their classes and their scale.</summary>
internal sealed class LabelSummary
{
    private readonly long[] _classCounts;
    private readonly double[] _classWeightSums;
    private readonly RunningMoments _moments = new();

    /// <param name="classCount">The number of classes; 0 for regression.</param>
    public LabelSummary(int classCount)
    {
        _classCounts = new long[classCount];
        _classWeightSums = new double[classCount];
    }

    public long RowCount { get; private set; }

    /// <summary>The sum of the example weights.</summary>
    public double WeightSum => _moments.WeightSum;

    /// <summary>The sum of the example weights of each class.</summary>
    public IReadOnlyList<double> ClassWeightSums => _classWeightSums;

    public IReadOnlyList<long> ClassCounts => _classCounts;

    /// <summary>The mean of the labels, weighted by the example weights.</summary>
    public double Mean => _moments.Mean;

    /// <summary>Whether the labels differ by more than float32 can tell apart.</summary>
    public bool Varies => _moments.Varies;

    /// <summary>The weighted standard deviation of the labels; 1 if they are all equal, so that dividing by it is harmless.</summary>
    public double StandardDeviation => _moments.StandardDeviation;

    public void Add(float label, float weight)
    {
        RowCount++;
        _moments.Add(label, weight);
        if (_classCounts.Length > 0)
        {
            _classCounts[(int)label]++;
            _classWeightSums[(int)label] += weight;
        }
    }
}

/// <summary>Maps labels and example weights of the data to those of the loss.</summary>
/// <param name="Mean">Subtracted from the label; 0 for classes.</param>
/// <param name="StandardDeviation">Divides the label; 1 for classes.</param>
/// <param name="ClassWeights">The weight of each class, or null.</param>
/// <param name="WeightFactor">Scales the mean weight of an epoch to 1, so that the learning rate keeps its meaning.</param>
/// <param name="HasExampleWeights">Whether rows have example weights.</param>
internal sealed record LabelScale(double Mean, double StandardDeviation, double[]? ClassWeights, double WeightFactor, bool HasExampleWeights)
{
    public bool IsWeighted => HasExampleWeights || ClassWeights != null;

    public float Standardize(float label) => (float)((label - Mean) / StandardDeviation);

    public float Weigh(float label, float weight) =>
        (float)(weight * WeightFactor * (ClassWeights == null ? 1 : ClassWeights[(int)label]));
}

/// <summary>The weighted mean and standard deviation of numbers.</summary>
internal sealed class RunningMoments
{
    private double _squares;

    public double WeightSum { get; private set; }

    public double Mean { get; private set; }

    /// <summary>Whether the numbers differ by more than float32 can tell apart.</summary>
    public bool Varies => Deviation > Math.Abs(Mean) * 1e-7 && Deviation > float.Epsilon;

    /// <summary>1 if the numbers are all equal, so that dividing by it is harmless.</summary>
    public double StandardDeviation => Varies ? Deviation : 1;

    private double Deviation => Math.Sqrt(_squares / WeightSum);

    public void Add(float value, float weight = 1)
    {
        WeightSum += weight;
        if (!(weight > 0))
            return;
        // West, 1979: stable for large numbers that are close together.
        var delta = value - Mean;
        Mean += delta * weight / WeightSum;
        _squares += weight * delta * (value - Mean);
    }
}
