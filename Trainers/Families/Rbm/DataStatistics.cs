using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.Rbm;

/// <summary>
/// What the training of an RBM needs to know about its data: means and variances of the visible units, and some rows for evaluation.
/// </summary>
internal sealed class DataStatistics : IDisposable
{
    private const int SampleRows = 1000;

    private DataStatistics(Tensor mean, Tensor variance, Tensor sample) => (Mean, Variance, Sample) = (mean, variance, sample);

    /// <summary><c>[visible]</c>, float32, on the CPU.</summary>
    public Tensor Mean { get; }

    /// <summary><c>[visible]</c>, float32, on the CPU.</summary>
    public Tensor Variance { get; }

    /// <summary>Up to 1,000 rows, drawn at random, on the training device.</summary>
    public Tensor Sample { get; }

    /// <summary>Reads the training data once.</summary>
    /// <param name="batches">The training batches.</param>
    /// <param name="visible">Maps features to visible units.</param>
    /// <param name="throwIfCancelled">Called regularly; throws when training is cancelled.</param>
    public static DataStatistics Of(IBatchSource<RowBatch> batches, Func<Tensor, Tensor> visible, Action throwIfCancelled)
    {
        using var state = TorchState.Enter();
        using var whole = NewDisposeScope();
        Tensor? sum = null;
        Tensor? squares = null;
        var sample = new List<Tensor>();
        var (rows, kept) = (0L, 0L);
        foreach (var batch in batches.ReadEpoch(0))
        {
            using (batch)
            using (NewDisposeScope())
            {
                throwIfCancelled();
                state.Resume();
                using var noGradient = no_grad();
                var values = visible(batch.Features);
                if (kept < SampleRows)
                {
                    sample.Add(values.narrow(0, 0, Math.Min(values.shape[0], SampleRows - kept)).clone().MoveToOuterDisposeScope());
                    kept += sample[^1].shape[0];
                }
                // Sums over a million rows need 64 bits.
                sum = Add(sum, values.sum(dim: 0));
                squares = Add(squares, values.pow(Number.Of(2)).sum(dim: 0));
                rows += batch.RowCount;
            }
        }
        state.Resume();
        using var noGradients = no_grad();
        var mean = sum!.div(Number.Of(rows));
        var variance = squares!.div(Number.Of(rows)) - mean.pow(Number.Of(2));
        return new DataStatistics(Detached(mean), Detached(variance), cat(sample, 0).DetachFromDisposeScope());
    }

    public void Dispose()
    {
        Mean.Dispose();
        Variance.Dispose();
        Sample.Dispose();
    }

    private static Tensor Add(Tensor? total, Tensor part)
    {
        var exact = part.to(ScalarType.Float64);
        return total is null ? exact.MoveToOuterDisposeScope() : total.add_(exact, Number.One);
    }

    private static Tensor Detached(Tensor value) => value.to(ScalarType.Float32).cpu().DetachFromDisposeScope();
}
