using MLExtensions.Models;
using MLExtensions.Scoring;
using MLExtensions.Scoring.OnnxRuntime;

namespace MLExtensions.Benchmarks;

/// <summary>A model's network in ONNX Runtime over rows that are ready, without anything around it.</summary>
internal sealed unsafe class BareOnnxRuntime : IDisposable
{
    private readonly OnnxRuntimeNetwork _network;
    private readonly int _width;
    private readonly int _outputs;
    private readonly int _count;
    private readonly int _blockRows;
    private readonly float[] _rows;
    private readonly float[] _scores;

    /// <param name="model">The model.</param>
    /// <param name="images">The rows.</param>
    /// <param name="blockRows">The rows of a block.</param>
    /// <param name="threads">The number of threads.</param>
    public BareOnnxRuntime(NetworkModelParameters model, ImageSet images, int blockRows, int threads)
    {
        IRowComputation computation = model;
        using (NetworkLease.Of(computation.Networks))
            _network = new OnnxRuntimeNetwork(GraphFile.Of(computation), threads, gpu: null);
        (_width, _outputs, _count, _blockRows) = (computation.Format.Width, computation.OutputCount, images.Count, blockRows);
        _rows = GC.AllocateUninitializedArray<float>(_count * _width, pinned: true);
        _scores = GC.AllocateUninitializedArray<float>(blockRows * _outputs, pinned: true);
        for (var i = 0; i < _count; i++)
            images.Rows[i].Features.CopyTo(_rows, i * _width);
    }

    /// <summary>Scores all rows in blocks.</summary>
    public void ScoreAll()
    {
        fixed (float* rows = _rows, scores = _scores)
        {
            for (var first = 0; first < _count; first += _blockRows)
                _network.Compute(rows + ((long)first * _width), Math.Min(_blockRows, _count - first), _width, scores, _outputs);
        }
    }

    /// <summary>Scores single rows, each copied to a place that is bound.</summary>
    public void ScoreOneByOne(int predictions)
    {
        var row = GC.AllocateUninitializedArray<float>(_width, pinned: true);
        fixed (float* rows = row, scores = _scores)
        {
            using var binding = _network.Bind(rows, 1, _width, scores, _outputs);
            for (var i = 0; i < predictions; i++)
            {
                _rows.AsSpan(i % _count * _width, _width).CopyTo(row);
                binding.Compute();
            }
        }
    }

    public void Dispose() => _network.Dispose();
}
