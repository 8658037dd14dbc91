using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Data;

/// <summary>Collects rows until a batch is full. One buffer serves every batch, so that memory stays warm.</summary>
internal sealed class BatchBuffer : IDisposable
{
    private readonly FeatureBlock _features;
    private readonly FeatureBlock _labels;
    private readonly FeatureBlock? _weights;
    private readonly LabelScale _scale;
    private readonly Device _device;
    private readonly long _epochRows;
    private long _rowsBefore;

    public BatchBuffer(int batchSize, int width, LabelScale scale, Device device, long epochRows)
    {
        _features = new FeatureBlock(batchSize, width);
        _labels = new FeatureBlock(batchSize, 1);
        _weights = scale.IsWeighted ? new FeatureBlock(batchSize, 1) : null;
        _scale = scale;
        _device = device;
        _epochRows = epochRows;
    }

    public int Count { get; private set; }

    public bool IsFull => Count == _features.Capacity;

    /// <summary>Where the next row's features go; <see cref="Add"/> keeps them.</summary>
    public Span<float> NextFeatures() => _features.Row(Count);

    public void Add(float label, float weight)
    {
        _labels.Row(Count)[0] = _scale.Standardize(label);
        if (_weights != null)
            _weights.Row(Count)[0] = _scale.Weigh(label, weight);
        Count++;
    }

    /// <summary>The collected rows as a batch; the buffer starts anew.</summary>
    public Batch Take()
    {
        var count = Count;
        var fraction = Math.Min(1, (double)_rowsBefore / Math.Max(1, _epochRows));
        Count = 0;
        _rowsBefore += count;
        using var scope = NewDisposeScope();
        var features = ToDevice(_features.Rows(0, count));
        var labels = ToDevice(_labels.Rows(0, count).view(-1));
        var weights = _weights == null ? null : ToDevice(_weights.Rows(0, count).view(-1));
        return new Batch(count, fraction, features, labels, weights, _labels);
    }

    public void Dispose()
    {
        _features.Dispose();
        _labels.Dispose();
        _weights?.Dispose();
    }

    private Tensor ToDevice(Tensor tensor) =>
        (_device.type == DeviceType.CPU ? tensor : tensor.to(_device)).DetachFromDisposeScope();
}
