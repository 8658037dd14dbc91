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
    public static Delegate[] CreateGetters(TextResults<TextScore> source) =>
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
