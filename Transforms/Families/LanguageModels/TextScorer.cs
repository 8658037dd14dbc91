using System.Runtime.InteropServices;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Text;
using Microsoft.ML.Data;
using Microsoft.ML;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// Computes the probability of independent rows of text. The first token is predicted from an end-of-sequence (EOS) token, as in training.
/// Thread-safe.
/// </summary>
internal sealed class TextScorer(TextTokenizer tokenizer, SequenceScorer sequences, string column, UnknownTokens? unknown = null)
{
    /// <param name="texts">The rows.</param>
    /// <param name="firstRow">The number of the first row, for messages.</param>
    /// <param name="scores">Receives one score per row.</param>
    /// <param name="contexts">What is read before each row and not predicted; empty if there are none.</param>
    /// <exception cref="FormatException">A row contains something that is not in the vocabulary.</exception>
    public void Score(ReadOnlySpan<ReadOnlyMemory<char>> texts, long firstRow, Span<TextScore> scores, ReadOnlySpan<ReadOnlyMemory<char>> contexts = default)
    {
        var tokens = new int[texts.Length][];
        var given = new int[texts.Length];
        var ids = new List<int>();
        for (var i = 0; i < tokens.Length; i++)
        {
            ids.Clear();
            ids.Add(tokenizer.EndOfSequenceId);
            if (!contexts.IsEmpty && !contexts[i].IsEmpty)
            {
                TextColumn.Encode(tokenizer, contexts[i].Span, ids, column, firstRow + i);
                ids.Add(tokenizer.EndOfSequenceId);
            }
            given[i] = ids.Count;
            TextColumn.Encode(tokenizer, texts[i].Span, ids, column, firstRow + i);
            unknown?.Add(ids[given[i]..]);
            ids.Add(tokenizer.EndOfSequenceId);
            tokens[i] = CollectionsMarshal.AsSpan(ids).ToArray();
        }
        var logProbabilities = new double[tokens.Length];
        sequences.Score(tokens, logProbabilities, given);
        for (var i = 0; i < tokens.Length; i++)
            scores[i] = new TextScore(logProbabilities[i], tokens[i].Length - given[i]);
    }
}

/// <summary>Returns the score of the current row of a cursor or prediction engine. Each row or block is scored once.</summary>
internal abstract class TextScoreSource
{
    public abstract TextScore Current();

    public static TextScoreSource Create(DataViewRow input, DataViewSchema.Column textColumn, DataViewSchema.Column? contextColumn, TextScorer scorer) =>
        input is TextCursor cursor ? new OfBlocks(cursor, scorer) : new OfRows(input, textColumn, contextColumn, scorer);

    private sealed class OfBlocks(TextCursor cursor, TextScorer scorer) : TextScoreSource
    {
        private readonly TextScore[] _scores = new TextScore[cursor.Capacity];
        private int _version;

        public override TextScore Current()
        {
            if (_version != cursor.Version)
            {
                scorer.Score(cursor.Texts, cursor.Position - cursor.Index, _scores, cursor.Contexts);
                _version = cursor.Version;
            }
            return _scores[cursor.Index];
        }
    }

    private sealed class OfRows(DataViewRow input, DataViewSchema.Column textColumn, DataViewSchema.Column? contextColumn, TextScorer scorer) : TextScoreSource
    {
        private readonly ValueGetter<ReadOnlyMemory<char>> _getter = input.GetGetter<ReadOnlyMemory<char>>(textColumn);
        private readonly ValueGetter<ReadOnlyMemory<char>>? _contextGetter = contextColumn is { } context ? input.GetGetter<ReadOnlyMemory<char>>(context) : null;
        private ReadOnlyMemory<char> _text;
        private ReadOnlyMemory<char> _context;
        private TextScore _score;
        private long _position = -1;

        public override TextScore Current()
        {
            if (_position != input.Position || _position < 0)
            {
                _getter(ref _text);
                _contextGetter?.Invoke(ref _context);
                scorer.Score([_text], input.Position, new Span<TextScore>(ref _score), _contextGetter == null ? default : [_context]);
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

    /// <summary>Returns the getters of the columns, in order.</summary>
    public static Delegate[] CreateGetters(TextScoreSource source) =>
    [
        (ValueGetter<float>)((ref float value) => value = (float)source.Current().LogProbability),
        (ValueGetter<int>)((ref int value) => value = source.Current().Tokens),
        (ValueGetter<float>)((ref float value) => value = (float)source.Current().Perplexity),
    ];
}

/// <summary>The probability of a text.</summary>
/// <param name="LogProbability">The natural logarithm of its probability.</param>
/// <param name="Tokens">The number of predicted tokens, including the end of the row.</param>
internal readonly record struct TextScore(double LogProbability, int Tokens)
{
    public double Perplexity => Math.Exp(-LogProbability / Tokens);
}
