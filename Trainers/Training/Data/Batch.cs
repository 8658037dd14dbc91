using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Data;

/// <summary>Some rows for one step. The tensors share memory that the next batch overwrites.</summary>
internal sealed class Batch(int rowCount, double epochFraction, Tensor features, Tensor labels, Tensor? weights = null, FeatureBlock? labelBlock = null) : IDisposable
{
    public int RowCount => rowCount;

    /// <summary>How much of the epoch lies before this batch, in [0, 1).</summary>
    public double EpochFraction => epochFraction;

    /// <summary><c>[rows, width]</c>, float32, on the training device; of text the tokens <c>[steps, lanes]</c>, int64.</summary>
    public Tensor Features => features;

    /// <summary><c>[rows]</c>, float32, on the training device: class index, 0 or 1, or standardised target; of text the next tokens <c>[steps * lanes]</c>, int64.</summary>
    public Tensor Labels => labels;

    /// <summary><c>[rows]</c>, float32, of mean 1 over the epoch; null where all are 1.</summary>
    public Tensor? Weights => weights;

    /// <summary>The labels once more, for managed code.</summary>
    public ReadOnlySpan<float> LabelValues => labelBlock == null ? [] : labelBlock.Values(rowCount);

    public void Dispose()
    {
        features.Dispose();
        labels.Dispose();
        weights?.Dispose();
    }
}
