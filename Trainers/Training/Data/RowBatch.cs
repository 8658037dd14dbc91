using MLExtensions.Tensors;
using MLExtensions.Training.Engine;
using static TorchSharp.torch;

namespace MLExtensions.Training.Data;

/// <summary>Rows of features.</summary>
/// <param name="rowCount">The number of rows.</param>
/// <param name="epochFraction">How much of the epoch lies before this batch, in [0, 1).</param>
/// <param name="features"><c>[rows, width]</c>, float32, on the training device.</param>
internal class RowBatch(int rowCount, double epochFraction, Tensor features) : Batch(rowCount, epochFraction)
{
    /// <summary><c>[rows, width]</c>, float32, on the training device.</summary>
    public Tensor Features => features;

    public override void Dispose() => features.Dispose();
}

/// <summary>Rows of features with their labels.</summary>
/// <param name="rowCount">The number of rows.</param>
/// <param name="epochFraction">How much of the epoch lies before this batch, in [0, 1).</param>
/// <param name="features"><c>[rows, width]</c>, float32, on the training device.</param>
/// <param name="labels"><c>[rows]</c>, float32, on the training device.</param>
/// <param name="weights"><c>[rows]</c>, float32, on the training device, or null.</param>
/// <param name="labelBlock">The labels in host memory.</param>
internal sealed class LabeledBatch(int rowCount, double epochFraction, Tensor features, Tensor labels, Tensor? weights, FeatureBlock labelBlock)
    : RowBatch(rowCount, epochFraction, features)
{
    /// <summary><c>[rows]</c>, float32, on the training device: class index, 0 or 1, or standardized target.</summary>
    public Tensor Labels => labels;

    /// <summary><c>[rows]</c>, float32, of mean 1 over the epoch; null where all are 1.</summary>
    public Tensor? Weights => weights;

    /// <summary>The labels once more, for managed code.</summary>
    public ReadOnlySpan<float> LabelValues => labelBlock.Values(RowCount);

    public override void Dispose()
    {
        base.Dispose();
        labels.Dispose();
        weights?.Dispose();
    }
}
