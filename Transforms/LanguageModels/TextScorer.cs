using System.Runtime.InteropServices;
using MLExtensions.Text;

namespace MLExtensions.LanguageModels;

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
            ids.Add(tokenizer.EndOfRowId);
            TextColumn.Encode(tokenizer, texts[i].Span, ids, column, firstRow + i);
            ids.Add(tokenizer.EndOfRowId);
            tokens[i] = CollectionsMarshal.AsSpan(ids).ToArray();
        }
        var logProbabilities = new double[tokens.Length];
        sequences.Score(tokens, logProbabilities);
        for (var i = 0; i < tokens.Length; i++)
            scores[i] = new TextScore(logProbabilities[i], tokens[i].Length - 1);
    }
}
