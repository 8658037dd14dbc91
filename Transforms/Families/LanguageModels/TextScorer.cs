using System.Runtime.InteropServices;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Text;
using Microsoft.ML.Data;
using Microsoft.ML;

namespace MLExtensions.Families.LanguageModels;

/// <summary>How probable rows of text are, each on its own: the row before its first token ends, as in training. Thread-safe.</summary>
internal sealed class TextScorer(TextTokenizer tokenizer, SequenceScorer sequences, string column)
{
    /// <param name="texts">The rows.</param>
    /// <param name="firstRow">The number of the first of them, for messages.</param>
    /// <param name="scores">Takes a score a row.</param>
    /// <exception cref="FormatException">Something in a row is not in the vocabulary.</exception>
    public void Score(ReadOnlySpan<ReadOnlyMemory<char>> texts, long firstRow, Span<TextScore> scores)
    {
        var tokens = new int[texts.Length][];
        var ids = new List<int>();
        for (var i = 0; i < tokens.Length; i++)
        {
            ids.Clear();
            ids.Add(tokenizer.EndOfSequenceId);
            TextColumn.Encode(tokenizer, texts[i].Span, ids, column, firstRow + i);
            ids.Add(tokenizer.EndOfSequenceId);
            tokens[i] = CollectionsMarshal.AsSpan(ids).ToArray();
        }
        var logProbabilities = new double[tokens.Length];
        sequences.Score(tokens, logProbabilities);
        for (var i = 0; i < tokens.Length; i++)
            scores[i] = new TextScore(logProbabilities[i], tokens[i].Length - 1);
    }
}

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

/// <summary>The columns that a language model adds.</summary>
internal static class LanguageModelColumns
{
    public const string LogProbability = nameof(LogProbability);
    public const string Tokens = nameof(Tokens);
    public const string Perplexity = nameof(Perplexity);

    public static IReadOnlyList<DataViewSchema.DetachedColumn> All { get; } =
    [
        new(LogProbability, NumberDataViewType.Single),
        new(Tokens, NumberDataViewType.Int32),
        new(Perplexity, NumberDataViewType.Single),
    ];

    /// <summary>The getters of the columns, in their order.</summary>
    public static Delegate[] CreateGetters(TextScoreSource source) =>
    [
        (ValueGetter<float>)((ref float value) => value = (float)source.Current().LogProbability),
        (ValueGetter<int>)((ref int value) => value = source.Current().Tokens),
        (ValueGetter<float>)((ref float value) => value = (float)source.Current().Perplexity),
    ];
}

/// <summary>How probable a text is.</summary>
/// <param name="LogProbability">The natural logarithm of its probability.</param>
/// <param name="Tokens">The tokens that were predicted, the end of the row among them.</param>
internal readonly record struct TextScore(double LogProbability, int Tokens)
{
    public double Perplexity => Math.Exp(-LogProbability / Tokens);
}
