using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Text;

namespace MLExtensions.Families.Conversations;

/// <summary>The names of the columns that are evaluated.</summary>
/// <param name="Target">What should have been written.</param>
/// <param name="Generated">What was written.</param>
/// <param name="Conversation">The conversation of the row, or null.</param>
/// <param name="LogProbability">The log probability of the target; null to look for it.</param>
/// <param name="Tokens">The number of tokens of the target; null to look for it.</param>
internal sealed record ResponseColumns(string Target, string Generated, string? Conversation, string? LogProbability, string? Tokens);

/// <summary>Compares texts that were written with those that should have been.</summary>
internal static class ResponseEvaluator
{
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no rows.</exception>
    /// <exception cref="FormatException">A value is missing or not suitable; the message names column and row.</exception>
    public static SequenceToSequenceMetrics Evaluate(IDataView data, ResponseColumns columns, bool ignoreCase, KneserNeyTransformer? reference)
    {
        var schema = data.Schema;
        var (target, generated) = (TextColumn.Find(schema, columns.Target), TextColumn.Find(schema, columns.Generated));
        if (columns.Conversation is { } conversation)
            ConversationColumn.Check(SchemaShape.Create(schema), conversation);
        var scores = FindScores(schema, columns);
        DataViewSchema.Column?[] optional = [columns.Conversation == null ? null : schema[columns.Conversation], scores?.LogProbability, scores?.Tokens];
        using var cursor = data.GetRowCursor([target, generated, .. optional.OfType<DataViewSchema.Column>()]);
        var (getTarget, getGenerated) = (cursor.GetGetter<ReadOnlyMemory<char>>(target), cursor.GetGetter<ReadOnlyMemory<char>>(generated));
        var getConversation = columns.Conversation is { } key ? ConversationColumn.Open(cursor, key) : null;
        var likelihood = scores is { } found ? new LikelihoodSum(cursor, found.LogProbability, found.Tokens) : null;
        var (overlap, variety, conversations) = (new NGramOverlap(), new ResponseVariety(), new Dictionary<string, bool>());
        var (rows, exact, judged) = (0L, 0L, new LanguageModelMetrics(0, 0, 0));
        ReadOnlyMemory<char> right = default, text = default;
        while (cursor.MoveNext())
        {
            getTarget(ref right);
            getGenerated(ref text);
            var (expected, tokens) = (ResponseTokens.Of(right.Span, ignoreCase), ResponseTokens.Of(text.Span, ignoreCase));
            var isExact = expected.AsSpan().SequenceEqual(tokens);
            rows++;
            exact += isExact ? 1 : 0;
            overlap.Add(tokens, expected);
            variety.Add(tokens, ResponseTokens.Join(tokens), text.ToString());
            if (getConversation?.Invoke() is { } name)
                conversations[name] = conversations.GetValueOrDefault(name, true) && isExact;
            likelihood?.Add();
            if (reference != null)
                judged = Judge(judged, reference, right.Span, cursor.Position);
        }
        if (rows == 0)
            throw new ArgumentException("The data has no rows, so there is nothing to evaluate.", nameof(data));
        return new SequenceToSequenceMetrics
        {
            Responses = rows,
            ExactMatch = (double)exact / rows,
            Conversations = getConversation == null ? null : conversations.Count,
            ConversationExactMatch = getConversation == null ? null : conversations.Values.Average(isRight => isRight ? 1.0 : 0),
            Bleu = overlap.Bleu,
            NGramPrecisions = overlap.Precisions,
            BrevityPenalty = overlap.BrevityPenalty,
            Distinct1 = variety.Distinct1,
            Distinct2 = variety.Distinct2,
            CommonestResponse = variety.Commonest.Text,
            CommonestResponseShare = (double)variety.Commonest.Count / rows,
            DistinctResponses = variety.DistinctResponses,
            MeanLength = (double)overlap.Length / rows,
            MeanTargetLength = (double)overlap.ReferenceLength / rows,
            Perplexity = likelihood?.Perplexity,
            Reference = reference == null ? null : judged,
        };
    }

    private static LanguageModelMetrics Judge(LanguageModelMetrics sum, KneserNeyTransformer reference, ReadOnlySpan<char> text, long row)
    {
        var score = reference.Score(reference.Encode(text, row));
        return new LanguageModelMetrics(sum.LogProbability + score.LogProbability, sum.Tokens + score.Tokens, sum.Rows + 1);
    }

    /// <summary>The columns that are named, or those that the network adds for its target if they are there.</summary>
    private static (DataViewSchema.Column LogProbability, DataViewSchema.Column Tokens)? FindScores(DataViewSchema schema, ResponseColumns columns)
    {
        if ((columns.LogProbability == null) != (columns.Tokens == null))
            throw new ArgumentException($"Only one of the columns of log probabilities ('{columns.LogProbability}') and of numbers of tokens ('{columns.Tokens}') is named; a perplexity needs both.");
        var (log, tokens) = (columns.LogProbability ?? columns.Target + "LogProbability", columns.Tokens ?? columns.Target + "Tokens");
        if (columns.LogProbability == null && (schema.GetColumnOrNull(log) == null || schema.GetColumnOrNull(tokens) == null))
            return null;
        return (Find(log, NumberDataViewType.Single), Find(tokens, NumberDataViewType.Int32));

        DataViewSchema.Column Find(string name, DataViewType type)
        {
            var column = schema.GetColumnOrNull(name) ?? throw new ArgumentException($"Column '{name}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}.");
            return column.Type == type ? column : throw new ArgumentException($"Column '{name}' has type {column.Type}; it must be {type}.");
        }
    }

    /// <summary>Sums log probabilities and tokens.</summary>
    private sealed class LikelihoodSum(DataViewRowCursor cursor, DataViewSchema.Column logProbability, DataViewSchema.Column tokens)
    {
        private readonly ValueGetter<float> _getLogProbability = cursor.GetGetter<float>(logProbability);
        private readonly ValueGetter<int> _getTokens = cursor.GetGetter<int>(tokens);
        private double _sum;
        private long _count;

        public double? Perplexity => _count == 0 ? null : Math.Exp(-_sum / _count);

        public void Add()
        {
            var (value, count) = (0f, 0);
            _getLogProbability(ref value);
            _getTokens(ref count);
            if (float.IsNaN(value) || value > 0 || count < 0)
                throw new FormatException(FormattableString.Invariant($"Columns '{logProbability.Name}' and '{tokens.Name}', {RowName.Of(cursor.Position)}: the values are {value} and {count}; a log probability is at most 0, a number of tokens at least 0."));
            _sum += value;
            _count += count;
        }
    }
}
