using Microsoft.ML;
using MLExtensions.Scoring;

namespace MLExtensions.LanguageModels;

/// <summary>Gives the score of the row that a cursor or a prediction engine stands on, each row or block scored once.</summary>
internal abstract class TextScoreSource
{
    public abstract TextScore Current();

    public static TextScoreSource Create(DataViewRow input, DataViewSchema.Column textColumn, TextScorer scorer) =>
        input is TextCursor cursor ? new OfBlocks(cursor, scorer) : new OfRows(input, textColumn, scorer);

    private sealed class OfBlocks(TextCursor cursor, TextScorer scorer) : TextScoreSource
    {
        private readonly TextScore[] _scores = new TextScore[cursor.Capacity];
        private int _version;

        public override TextScore Current()
        {
            if (_version != cursor.Version)
            {
                scorer.Score(cursor.Texts, cursor.Position - cursor.Index, _scores);
                _version = cursor.Version;
            }
            return _scores[cursor.Index];
        }
    }

    private sealed class OfRows(DataViewRow input, DataViewSchema.Column textColumn, TextScorer scorer) : TextScoreSource
    {
        private readonly ValueGetter<ReadOnlyMemory<char>> _getter = input.GetGetter<ReadOnlyMemory<char>>(textColumn);
        private ReadOnlyMemory<char> _text;
        private TextScore _score;
        private long _position = -1;

        public override TextScore Current()
        {
            if (_position != input.Position || _position < 0)
            {
                _getter(ref _text);
                scorer.Score([_text], input.Position, new Span<TextScore>(ref _score));
                _position = input.Position;
            }
            return _score;
        }
    }
}
