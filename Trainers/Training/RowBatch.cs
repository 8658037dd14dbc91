using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training;

/// <summary>Rows of features.</summary>
/// <param name="rowCount">The number of rows.</param>
/// <param name="epochFraction">The fraction of the epoch before this batch, in [0, 1).</param>
/// <param name="features"><c>[rows, width]</c>, float32, on the training device.</param>
internal class RowBatch(int rowCount, double epochFraction, Tensor features) : Batch(rowCount, epochFraction)
{
    /// <summary><c>[rows, width]</c>, float32, on the training device.</summary>
    public Tensor Features => features;

    public override void Dispose() => features.Dispose();
}

/// <summary>Rows of features with their labels.</summary>
/// <param name="rowCount">The number of rows.</param>
/// <param name="epochFraction">The fraction of the epoch before this batch, in [0, 1).</param>
/// <param name="features"><c>[rows, width]</c>, float32, on the training device.</param>
/// <param name="labels"><c>[rows]</c>, float32, on the training device.</param>
/// <param name="weights"><c>[rows]</c>, float32, on the training device, or null.</param>
/// <param name="labelBlock">The labels in host memory.</param>
internal sealed class LabeledBatch(int rowCount, double epochFraction, Tensor features, Tensor labels, Tensor? weights, FeatureBlock labelBlock)
    : RowBatch(rowCount, epochFraction, features)
{
    /// <summary><c>[rows]</c>, float32, on the training device: class index, 0 or 1, or standardized target value.</summary>
    public Tensor Labels => labels;

    /// <summary><c>[rows]</c>, float32, with mean 1 over the epoch; null if all are 1.</summary>
    public Tensor? Weights => weights;

    /// <summary>The labels again, for managed code.</summary>
    public ReadOnlySpan<float> LabelValues => labelBlock.Values(RowCount);

    public override void Dispose()
    {
        base.Dispose();
        labels.Dispose();
        weights?.Dispose();
    }
}

/// <summary>How rows become batches.</summary>
/// <param name="Size">Rows per batch.</param>
/// <param name="MinimumRows">A smaller last batch is skipped: batch normalization does not work on a single row.</param>
/// <param name="Seed">The training's seed.</param>
/// <param name="Shuffle">Whether each epoch has its own random order.</param>
/// <param name="Device">Where the tensors go.</param>
/// <param name="LengthOf">The length of a row if batches should consist of rows of similar length; otherwise null.</param>
internal sealed record BatchSettings(int Size, int MinimumRows, int Seed, bool Shuffle, Device Device, RowLength? LengthOf = null)
{
    /// <summary>The rows of a batch are a multiple of it, a divisor of <see cref="Size"/>; what is over is left out.</summary>
    public int Multiple { get; init; } = 1;

    /// <summary>Whether the features of rows in memory are copied to the device once, if they fit, instead of batch by batch.</summary>
    public bool KeepsFeaturesOnDevice { get; init; } = Device.type == DeviceType.CUDA;

    /// <summary>The part of each batch that is trained on here.</summary>
    public Share Share { get; private init; } = Share.Whole;

    /// <summary>The part of each batch, as if there were no others.</summary>
    public BatchSettings Own => this with { Size = Size / Share.Count, MinimumRows = MinimumRows / Share.Count, Multiple = Multiple / Share.Count, Share = Share.Whole };

    /// <summary>Batches that are divided among ranks, which all have as many rows.</summary>
    /// <exception cref="ArgumentException">The size cannot be divided.</exception>
    public BatchSettings For(Share share)
    {
        if (share.Count > 1 && Size % (Multiple * share.Count) != 0)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(TrainingOptions.GlobalBatchSize)} is {Size}; it must be a multiple of {Multiple * share.Count}, so that each of {share.Count} ranks has whole groups of {Multiple} rows."));
        return share.Count == 1 ? this : this with { Share = share, MinimumRows = Math.Min(Size, MinimumRows * share.Count), Multiple = Multiple * share.Count };
    }

    public int CountBatches(long rows) => checked((int)((rows / Size) + (NextBatch(rows % Size) > 0 ? 1 : 0)));

    /// <summary>The number of rows of the next batch when so many are left in the epoch; 0 if there is none.</summary>
    public int NextBatch(long left)
    {
        var rows = (int)Math.Min(Size, left);
        rows -= rows % Multiple;
        return rows < MinimumRows ? 0 : rows;
    }

    /// <summary>The number of rows of an epoch that are in no batch.</summary>
    public long LeftOut(long rows) => rows % Size is var rest ? rest - NextBatch(rest) : 0;
}

/// <summary>Collects rows until a batch is full. One buffer is used for all batches, so that its memory stays in the cache.</summary>
internal abstract class BatchBuffer<TBatch>(int batchSize, int width, Device device, long epochRows) : IDisposable
    where TBatch : RowBatch
{
    private readonly FeatureBlock _features = new(batchSize, width);
    private long _rowsBefore;

    public int Count { get; private set; }

    public bool IsFull => Count == _features.Capacity;

    /// <summary>The memory of the features.</summary>
    public long Bytes => (long)_features.Capacity * _features.Width * sizeof(float);

    /// <summary>The memory for the next row's features; <see cref="Add"/> keeps them.</summary>
    public Span<float> NextFeatures() => _features.Row(Count);

    public void Add(float label, float weight)
    {
        AddLabel(Count, label, weight);
        Count++;
    }

    /// <summary>Adds rows that are in memory.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="which">Their numbers.</param>
    /// <param name="withFeatures">Whether to add their features; else <see cref="Take(int, Tensor?)"/> is given them.</param>
    public void Fill(TrainingRows rows, ReadOnlySpan<int> which, bool withFeatures = true)
    {
        if (withFeatures)
            rows.Features.CopyTo(which, _features, Count);
        foreach (var row in which)
            Add(rows.LabelOf(row), rows.WeightOf(row));
    }

    /// <summary>Returns the first of the collected rows as a batch and empties the buffer, through which all rows of the epoch go.</summary>
    /// <param name="count">The number of rows of the batch.</param>
    /// <param name="features">Their features if they are on the device already; the batch takes ownership.</param>
    public TBatch Take(int count, Tensor? features = null)
    {
        var batch = Take(count, _rowsBefore, features);
        _rowsBefore += count;
        return batch;
    }

    /// <summary>Returns the first of the collected rows as a batch and empties the buffer.</summary>
    /// <param name="count">The number of rows of the batch.</param>
    /// <param name="rowsBefore">The rows of the epoch before it.</param>
    /// <param name="features">Their features if they are on the device already; the batch takes ownership.</param>
    public TBatch Take(int count, long rowsBefore, Tensor? features = null)
    {
        var fraction = Math.Min(1, (double)rowsBefore / Math.Max(1, epochRows));
        Count = 0;
        using var scope = NewDisposeScope();
        return Create(count, fraction, features ?? ToDevice(_features.Rows(0, count)));
    }

    public virtual void Dispose() => _features.Dispose();

    protected abstract void AddLabel(int row, float label, float weight);

    protected abstract TBatch Create(int count, double fraction, Tensor features);

    protected Tensor ToDevice(Tensor tensor) =>
        (device.type == DeviceType.CPU ? tensor : tensor.to(device)).DetachFromDisposeScope();
}

/// <summary>Collects rows without labels.</summary>
internal sealed class RowBuffer(int batchSize, int width, Device device, long epochRows) : BatchBuffer<RowBatch>(batchSize, width, device, epochRows)
{
    protected override void AddLabel(int row, float label, float weight)
    {
    }

    protected override RowBatch Create(int count, double fraction, Tensor features) => new(count, fraction, features);
}

/// <summary>Collects rows with labels.</summary>
internal sealed class LabeledBuffer(int batchSize, int width, LabelScale scale, Device device, long epochRows) : BatchBuffer<LabeledBatch>(batchSize, width, device, epochRows)
{
    private readonly FeatureBlock _labels = new(batchSize, 1);
    private readonly FeatureBlock? _weights = scale.IsWeighted ? new FeatureBlock(batchSize, 1) : null;

    public override void Dispose()
    {
        base.Dispose();
        _labels.Dispose();
        _weights?.Dispose();
    }

    protected override void AddLabel(int row, float label, float weight)
    {
        _labels.Row(row)[0] = scale.Standardize(label);
        if (_weights != null)
            _weights.Row(row)[0] = scale.Weigh(label, weight);
    }

    protected override LabeledBatch Create(int count, double fraction, Tensor features)
    {
        var labels = ToDevice(_labels.Rows(0, count).view(-1));
        var weights = _weights == null ? null : ToDevice(_weights.Rows(0, count).view(-1));
        return new LabeledBatch(count, fraction, features, labels, weights, _labels);
    }
}
