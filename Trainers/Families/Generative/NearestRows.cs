using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Generative;

/// <summary>
/// Finds the nearest training row of other rows. Those are held in memory as float32; the training rows are read once, a block at a time.
/// </summary>
internal sealed class NearestRows : IDisposable
{
    private const int BlockRows = 1024;

    private readonly List<Tensor> _blocks = [];
    private readonly double[] _squares;
    private readonly long[] _nearest;

    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public NearestRows(FeatureSet rows)
    {
        _squares = new double[checked((int)rows.Count)];
        _nearest = new long[_squares.Length];
        Array.Fill(_squares, double.PositiveInfinity);
        try
        {
            rows.ForEachBlock((block, _) => _blocks.Add(block.clone().DetachFromDisposeScope()));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Compares the rows with a block of training rows.</summary>
    /// <param name="training"><c>[rows, features]</c>, float64.</param>
    /// <param name="origin"><c>[features]</c>, float64: a point near the rows, so that products of large numbers do not hide small distances.</param>
    /// <param name="first">The position of the block's first row.</param>
    public void Compare(Tensor training, Tensor origin, long first)
    {
        using var scope = NewDisposeScope();
        var moved = training.sub(origin);
        var lengths = moved.mul(moved).sum(1);
        var start = 0;
        foreach (var block in _blocks)
        {
            using var blockScope = NewDisposeScope();
            var rows = block.to(ScalarType.Float64);
            // |a - b|² = |a|² - 2 a b + |b|²; |a|² is the same for all b, so it does not change which is the nearest.
            var products = rows.sub(origin).mm(moved.t()).mul_(Number.Of(-2.0)).add_(lengths, Number.One);
            var nearest = products.argmin(1);
            // The product rounds, so the distance of the one that was found is computed once more, exactly: copies get 0.
            var apart = rows.sub_(training.index_select(0, nearest));
            var squares = apart.mul_(apart).sum(1);
            Keep(start, squares.data<double>().ToArray(), nearest.data<long>().ToArray(), first);
            start += (int)block.shape[0];
        }
    }

    public NearestDistances ToDistances() => new(_squares.Select(Math.Sqrt).ToArray(), _nearest);

    public void Dispose()
    {
        foreach (var block in _blocks)
            block.Dispose();
    }

    /// <param name="training">The training rows.</param>
    /// <param name="generated">Generated rows.</param>
    /// <param name="heldOut">Other real rows, or null.</param>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public static NearestRowMetrics Measure(FeatureSet training, FeatureSet generated, FeatureSet? heldOut)
    {
        using var threads = TorchThreads.Use(TorchThreads.CountFor((double)training.Width * BlockRows * BlockRows));
        using var generatedRows = new NearestRows(generated);
        using var heldOutRows = heldOut == null ? null : new NearestRows(heldOut);
        Tensor? origin = null;
        try
        {
            training.ForEachBlock((block, first) =>
            {
                var rows = block.to(ScalarType.Float64);
                origin ??= rows.mean([0]).DetachFromDisposeScope();
                generatedRows.Compare(rows, origin, first);
                heldOutRows?.Compare(rows, origin, first);
            });
        }
        finally
        {
            origin?.Dispose();
        }
        return new NearestRowMetrics
        {
            Generated = generatedRows.ToDistances(),
            HeldOut = heldOutRows?.ToDistances(),
            NumberOfTrainingRows = training.Count,
        };
    }

    private void Keep(int start, double[] squares, long[] nearest, long first)
    {
        for (var i = 0; i < squares.Length; i++)
        {
            if (squares[i] >= _squares[start + i])
                continue;
            _squares[start + i] = squares[i];
            _nearest[start + i] = first + nearest[i];
        }
    }
}
