using System.Runtime.InteropServices;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Text;
using Microsoft.ML.Data;
using Microsoft.ML;
using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>The metrics of a language model on a text.</summary>
/// <param name="LogProbability">The natural logarithm of the probability of all predicted tokens.</param>
/// <param name="Tokens">The number of predicted tokens, including the ends of rows.</param>
/// <param name="Rows">The number of rows of the text.</param>
public sealed record LanguageModelMetrics(double LogProbability, long Tokens, long Rows)
{
    /// <summary>
    /// exp(<see cref="CrossEntropy"/>): the average number of equally likely tokens that the model hesitates between. Lower is better.
    /// </summary>
    public double Perplexity => Math.Exp(CrossEntropy);

    /// <summary>The mean negative log probability per token, in nats.</summary>
    public double CrossEntropy => -LogProbability / Tokens;

    /// <summary><see cref="CrossEntropy"/> in bits per token.</summary>
    public double BitsPerToken => CrossEntropy / Math.Log(2);

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(LanguageModelMetrics), PrintMembers);
}

/// <summary>Evaluates a language model on a whole text.</summary>
internal static class LanguageModelEvaluator
{
    private const int PieceTokens = 1 << 14;

    /// <summary>Sums the columns that the transformer adds to each row.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no rows.</exception>
    public static LanguageModelMetrics Evaluate(IDataView scored)
    {
        var logProbability = Find(scored.Schema, LanguageModelColumns.LogProbability, NumberDataViewType.Single);
        var tokens = Find(scored.Schema, LanguageModelColumns.Tokens, NumberDataViewType.Int32);
        using var cursor = scored.GetRowCursor([logProbability, tokens]);
        var getLogProbability = cursor.GetGetter<float>(logProbability);
        var getTokens = cursor.GetGetter<int>(tokens);
        double sum = 0;
        long tokenCount = 0, rowCount = 0;
        float value = 0;
        var count = 0;
        while (cursor.MoveNext())
        {
            getLogProbability(ref value);
            getTokens(ref count);
            sum += value;
            tokenCount += count;
            rowCount++;
        }
        return tokenCount > 0
            ? new LanguageModelMetrics(sum, tokenCount, rowCount)
            : throw new ArgumentException("The data has no rows, so there is nothing to evaluate.", nameof(scored));
    }

    /// <summary>Reads all rows as one text.</summary>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type, or the text has fewer than two tokens.</exception>
    /// <exception cref="FormatException">A row contains something that is not in the vocabulary.</exception>
    public static LanguageModelMetrics EvaluateContinuous(LanguageModelTransformer model, IDataView data)
    {
        var column = TextColumn.Find(data.Schema, model.InputColumnName);
        using var cursor = data.GetRowCursor([column]);
        var getText = cursor.GetGetter<ReadOnlyMemory<char>>(column);
        using var state = new CarriedState();
        var tokens = new List<int>();
        var metrics = new LanguageModelMetrics(0, 0, 0);
        ReadOnlyMemory<char> text = default;
        while (cursor.MoveNext())
        {
            getText(ref text);
            TextColumn.Encode(model.Tokenizer, text.Span, tokens, column.Name, cursor.Position);
            tokens.Add(model.Tokenizer.EndOfSequenceId);
            metrics = metrics with { Rows = metrics.Rows + 1 };
            if (tokens.Count >= PieceTokens)
                ScorePiece();
        }
        if (tokens.Count > 1)
            ScorePiece();
        return metrics.Tokens > 0
            ? metrics
            : throw new ArgumentException(FormattableString.Invariant($"The text has {tokens.Count} tokens, including the end of each row; at least 2 are needed."), nameof(data));

        void ScorePiece()
        {
            var sum = model.Sequences.ScoreBatch([CollectionsMarshal.AsSpan(tokens).ToArray()], state)[0];
            metrics = metrics with { LogProbability = metrics.LogProbability + sum, Tokens = metrics.Tokens + tokens.Count - 1 };
            tokens.RemoveRange(0, tokens.Count - 1); // the last token is the input for the first token of the next piece
        }
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, string name, DataViewType type)
    {
        var column = schema.GetColumnOrNull(name)
            ?? throw new ArgumentException($"Column '{name}' is not in the data; Transform of a language model adds it. The columns are {string.Join(", ", schema.Select(other => other.Name))}.");
        return column.Type == type
            ? column
            : throw new ArgumentException($"Column '{name}' has type {column.Type}; it must be {type}, as Transform of a language model creates it.");
    }
}
