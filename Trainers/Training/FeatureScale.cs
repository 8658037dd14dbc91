using System.Globalization;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Training;

/// <summary>
/// Looks at the first training rows: features that are large, or that are the same in all rows, are why many trainings fail.
/// </summary>
/// <param name="column">The feature column, for messages.</param>
/// <param name="firstNumber">
/// The first value of a row whose size matters; null if none does, because values are tokens or are scaled by the network.
/// </param>
/// <param name="warn">Receives warnings.</param>
internal sealed class FeatureScale(string column, int? firstNumber, Action<string> warn)
{
    private const int Rows = 1000;

    // Root mean square. Standardized features have 1, shares and probabilities less; ages, percentages and pixels have more.
    private const double Largest = 20;

    private double[]? _squares;
    private float[]? _first;
    private bool _varies;
    private bool _isLarge;
    private int _rows;

    /// <summary>The largest value that features usually have, if it is far above 1; null if they are of any size.</summary>
    public double? UsualLargest { get; init; }

    /// <summary>Whether enough rows were looked at.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Begins anew, unless enough rows were looked at.</summary>
    public void Start()
    {
        if (!IsDone)
            (_squares, _first, _varies, _isLarge, _rows) = (null, null, false, false, 0);
    }

    /// <summary>Adds rows of features, one after the other.</summary>
    public void Add(ReadOnlySpan<float> features, int rows)
    {
        if (IsDone || rows == 0)
            return;
        var width = features.Length / rows;
        _squares ??= new double[width];
        _first ??= features[..width].ToArray();
        for (var row = 0; row < rows && _rows < Rows; row++, _rows++)
        {
            var values = features.Slice(row * width, width);
            _varies |= !values.SequenceEqual(_first);
            _isLarge |= values.ContainsAnyExceptInRange(-1, 1);
            for (var slot = 0; slot < width; slot++)
                _squares[slot] += (double)values[slot] * values[slot];
        }
        if (_rows == Rows)
            Finish();
    }

    /// <summary>Tells what was found, once.</summary>
    public void Finish()
    {
        if (IsDone || _squares == null)
            return;
        IsDone = true;
        if (!_varies && _rows > 1)
            warn(string.Create(CultureInfo.InvariantCulture, $"Column '{column}' has the same values in all of the {_rows} rows that were looked at, in {(_first!.Length == 1 ? "its only slot" : FormattableString.Invariant($"all of its slots, 0 to {_first.Length - 1}"))}; nothing can be learned from it."));
        if (UsualLargest is { } largest && !_isLarge && _varies)
            warn(string.Create(CultureInfo.InvariantCulture, $"Column '{column}' has only values from -1 to 1 in the {_rows} rows that were looked at, but they may be as large as {largest}; is its scale right?"));
        if (firstNumber is not { } start)
            return;
        var sizes = _squares.Select(sum => Math.Sqrt(sum / _rows)).ToArray();
        var large = Enumerable.Range(start, sizes.Length - start).Where(slot => sizes[slot] > Largest).ToArray();
        if (large.Length == 0)
            return;
        var worst = large.MaxBy(slot => sizes[slot]);
        warn(string.Create(CultureInfo.InvariantCulture, $"Column '{column}', slot {worst - start}: values are about {sizes[worst]:G3} in size{(large.Length > 1 ? FormattableString.Invariant($", and {large.Length - 1} more slots are above {Largest}") : "")}. Networks learn badly from features that are not about 1 in size; add NormalizeMeanVariance or NormalizeMinMax before this estimator, or scale the pixels of images."));
    }
}

/// <summary>Batches whose features are looked at when they are read to the end for the first time; who only needs some may stop early.</summary>
internal sealed class ScaledBatches<TBatch>(IBatchSource<TBatch> source, FeatureScale scale) : IBatchSource<TBatch>
    where TBatch : RowBatch
{
    public long RowCount => source.RowCount;

    public int BatchCount => source.BatchCount;

    public long LeftOut => source.LeftOut;

    public Share Share => source.Share;

    public string? Checksum => source.Checksum;

    public IReadOnlyList<(string Name, Tensor Value)> State => source.State;

    public IEnumerable<TBatch> ReadEpoch(int epoch) => scale.IsDone ? source.ReadEpoch(epoch) : Look(source.ReadEpoch(epoch));

    private IEnumerable<TBatch> Look(IEnumerable<TBatch> batches)
    {
        scale.Start();
        foreach (var batch in batches)
        {
            using (NewDisposeScope())
                scale.Add(TensorMemory.Floats(batch.Features.cpu().contiguous()), batch.RowCount);
            yield return batch;
        }
        scale.Finish();
    }
}
