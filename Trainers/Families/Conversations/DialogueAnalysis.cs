using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Text;

namespace MLExtensions;

/// <summary>What can be known of conversations before a network is trained: what no model of a kind can exceed.</summary>
/// <param name="Responses">The number of responses in the test data.</param>
/// <param name="DistinctResponses">The number of different ones among them.</param>
/// <param name="UnseenResponses">
/// The share of test responses that no training row has, from 0 to 1. Whoever chooses among known responses cannot get them right; a network
/// that writes them can.
/// </param>
/// <param name="LastTurns">
/// The ceilings for 1, 2, 3... last turns: the share of test responses that the best function of these turns, with the responses between
/// them, gets right. It answers each with the commonest response that the test data has for it.
/// </param>
/// <param name="AllTurns">The ceiling for everything that was said before.</param>
/// <param name="Lookup">The share that a look-up gets right: the commonest training response to the last turn, none for an unknown turn.</param>
/// <param name="LookupConversations">The number of conversations that the look-up gets right from beginning to end.</param>
/// <param name="Vocabulary">The number of different words in turns and responses of the training data, as white space divides them.</param>
/// <param name="LongestResponse">The number of words of the longest response in either data.</param>
public sealed record DialogueAnalysis(
    long Responses,
    long DistinctResponses,
    double UnseenResponses,
    IReadOnlyList<double> LastTurns,
    double AllTurns,
    double Lookup,
    long LookupConversations,
    int Vocabulary,
    int LongestResponse)
{
    /// <summary>Returns the main figures as text.</summary>
    public override string ToString()
    {
        var ceilings = string.Join(" / ", LastTurns.Append(AllTurns).Select(share => FormattableString.Invariant($"{100 * share:F2}")));
        return FormattableString.Invariant($"{Responses} responses, {100 * UnseenResponses:F2} % never seen in training; ceilings {ceilings} % for the last 1..{LastTurns.Count} turns and all; look-up {100 * Lookup:F2} %");
    }

    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no rows.</exception>
    internal static DialogueAnalysis Of(IDataView training, IDataView test, string turnText, string response, string conversation, int turns)
    {
        var (known, rows) = (Read(training, turnText, response, conversation), Read(test, turnText, response, conversation));
        if (rows.Count == 0 || known.Count == 0)
            throw new ArgumentException("The data has no rows, so there is nothing to analyze.", nameof(test));
        var (seen, words) = (known.Select(row => row.Response).ToHashSet(), new HashSet<string>(known.SelectMany(row => Words(row.Text).Concat(Words(row.Response)))));
        var table = known.GroupBy(row => row.Text).ToDictionary(group => group.Key, group => Commonest(group).Key);
        var right = rows.Select(row => table.GetValueOrDefault(row.Text) == row.Response).ToArray();
        return new DialogueAnalysis(
            rows.Count,
            rows.Select(row => row.Response).Distinct().Count(),
            Share(rows.Count(row => !seen.Contains(row.Response))),
            [.. Enumerable.Range(1, turns).Select(count => Ceiling(row => row.Last(count)))],
            Ceiling(row => row.Last(int.MaxValue)),
            Share(right.Count(isRight => isRight)),
            rows.Zip(right).GroupBy(pair => pair.First.Conversation).Count(group => group.All(pair => pair.Second)),
            words.Count,
            known.Concat(rows).Max(row => Words(row.Response).Length));

        double Share(long count) => (double)count / rows.Count;

        double Ceiling(Func<AnalyzedTurn, string> key) => Share(rows.GroupBy(key).Sum(group => Commonest(group).Count()));
    }

    private static IGrouping<string, AnalyzedTurn> Commonest(IEnumerable<AnalyzedTurn> rows) => rows.GroupBy(row => row.Response).MaxBy(group => group.Count())!;

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static List<AnalyzedTurn> Read(IDataView data, string turnText, string response, string conversation)
    {
        Families.Conversations.ConversationColumn.Check(SchemaShape.Create(data.Schema), conversation);
        var (text, answer) = (TextColumn.Find(data.Schema, turnText), TextColumn.Find(data.Schema, response));
        using var cursor = data.GetRowCursor([text, answer, data.Schema[conversation]]);
        var (getText, getAnswer) = (cursor.GetGetter<ReadOnlyMemory<char>>(text), cursor.GetGetter<ReadOnlyMemory<char>>(answer));
        var getConversation = Families.Conversations.ConversationColumn.Open(cursor, conversation);
        var (rows, last) = (new List<AnalyzedTurn>(), new Dictionary<string, AnalyzedTurn>());
        ReadOnlyMemory<char> turn = default, reply = default;
        while (cursor.MoveNext())
        {
            getText(ref turn);
            getAnswer(ref reply);
            var name = getConversation();
            var row = new AnalyzedTurn(name, turn.ToString(), reply.ToString(), last.GetValueOrDefault(name));
            last[name] = row;
            rows.Add(row);
        }
        return rows;
    }

    private sealed record AnalyzedTurn(string Conversation, string Text, string Response, AnalyzedTurn? Before)
    {
        /// <summary>The last turns, with the responses between them.</summary>
        public string Last(int turns)
        {
            var parts = new List<string> { Text };
            for (var before = Before; before != null && parts.Count < (2L * turns) - 1; before = before.Before)
                parts.AddRange([before.Response, before.Text]);
            return string.Join('\n', parts);
        }
    }
}
