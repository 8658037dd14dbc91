using Microsoft.ML;
using MLExtensions.Scoring;

namespace MLExtensions.Tensors;

/// <summary>Returns the scores of the current row of a cursor or prediction engine. Each row or block is scored once.</summary>
internal abstract class ScoreSource : IDisposable
{
    /// <summary>The scores of the current row.</summary>
    public abstract ReadOnlySpan<float> Current();

    public virtual void Dispose()
    {
    }

    public static ScoreSource Create(DataViewRow input, DataViewSchema.Column featureColumn, IBlockScorer scorer) =>
        input is LookAheadCursor cursor
            ? new OfBlocks(cursor, cursor.Block, scorer)
            : new OfRows(input, featureColumn, scorer);

    /// <summary>Returns the getters of some columns, which share what is computed; null for the others.</summary>
    /// <param name="input">The current row.</param>
    /// <param name="featureColumn">The column that is read.</param>
    /// <param name="scorer">Computes the outputs of the active columns, one after the other.</param>
    /// <param name="columns">All columns.</param>
    /// <param name="active">The indices of the columns to compute, in ascending order.</param>
    /// <param name="disposer">Frees what the getters use.</param>
    public static Delegate[] CreateGetters(DataViewRow input, DataViewSchema.Column featureColumn, IBlockScorer scorer, IReadOnlyList<OutputColumn> columns, int[] active, out Action? disposer)
    {
        var source = Create(input, featureColumn, scorer);
        disposer = source.Dispose;
        var getters = new Delegate[columns.Count];
        var first = 0;
        foreach (var index in active)
        {
            getters[index] = columns[index].CreateGetter(source, first);
            first += columns[index].Width;
        }
        return getters;
    }

    /// <summary>Scores of rows; at an address that stays.</summary>
    private static float[] Allocate(int rows, IBlockScorer scorer) => GC.AllocateArray<float>(rows * scorer.OutputCount, pinned: true);

    private sealed class OfBlocks(LookAheadCursor cursor, FeatureBlock block, IBlockScorer scorer) : ScoreSource
    {
        private readonly float[] _scores = Allocate(block.Capacity, scorer);
        private IBlockScoring? _scoring;
        private int _version;

        public override ReadOnlySpan<float> Current()
        {
            if (_version != cursor.Version)
            {
                _scoring ??= scorer.Open(block, _scores);
                _scoring.Score(cursor.Count);
                _version = cursor.Version;
            }
            return _scores.AsSpan(cursor.Index * scorer.OutputCount, scorer.OutputCount);
        }

        public override void Dispose() => _scoring?.Dispose();
    }

    private sealed class OfRows : ScoreSource
    {
        private readonly DataViewRow _input;
        private readonly IFeatureReader _reader;
        private readonly FeatureBlock _block;
        private readonly IBlockScoring _scoring;
        private readonly float[] _scores;
        private long _position = -1;

        public OfRows(DataViewRow input, DataViewSchema.Column featureColumn, IBlockScorer scorer)
        {
            _input = input;
            _reader = scorer.Format.Open(input, featureColumn);
            _block = FeatureBlock.ForScoring(1, scorer.Format.Width);
            _scores = Allocate(1, scorer);
            _scoring = scorer.Open(_block, _scores);
        }

        public override ReadOnlySpan<float> Current()
        {
            if (_position != _input.Position || _position < 0)
            {
                _reader.Read(_block.Row(0));
                _scoring.Score(1);
                _position = _input.Position;
            }
            return _scores;
        }

        public override void Dispose()
        {
            _scoring.Dispose();
            _block.Dispose();
        }
    }
}
