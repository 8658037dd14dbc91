using MLExtensions.Messages;

namespace MLExtensions.Families.Conversations;

/// <summary>How turns become one text.</summary>
/// <param name="NumberOfTurns">The number of turns that are kept; null for all.</param>
/// <param name="IncludesRow">Whether the text of the row itself is the last turn.</param>
/// <param name="Separator">What is between turns.</param>
/// <param name="Marker">What is before turns of the text column.</param>
/// <param name="AnswerMarker">What is before turns of the answer column.</param>
/// <param name="MaximumTokens">The number of words that are kept; null for all.</param>
internal sealed record HistoryFormat(int? NumberOfTurns, bool IncludesRow, string Separator, string Marker, string AnswerMarker, int? MaximumTokens)
{
    /// <summary>All turns, one a line, without markers.</summary>
    public static HistoryFormat Lines { get; } = new(null, true, "\n", "", "", null);

    /// <summary>A turn as it is in the history.</summary>
    public string Turn(string speaker, ReadOnlySpan<char> text, bool isAnswer) => string.Concat(isAnswer ? AnswerMarker : Marker, speaker, text);
}

/// <summary>The turns of one conversation so far, those that can still be needed.</summary>
internal sealed class TurnHistory(HistoryFormat format)
{
    private readonly List<string> _turns = [];

    /// <summary>The number of turns so far, including those that are forgotten.</summary>
    public long Count { get; private set; }

    /// <summary>The last turn number; null before the first.</summary>
    public double? LastNumber { get; set; }

    public void Add(string turn)
    {
        Count++;
        _turns.Add(turn);
        if (_turns.Count > format.NumberOfTurns)
            _turns.RemoveAt(0);
    }

    /// <summary>Returns the turns as one text.</summary>
    /// <param name="cutWords">The number of words that were cut at the beginning.</param>
    public string Join(out int cutWords)
    {
        var text = string.Join(format.Separator, _turns);
        cutWords = 0;
        if (format.MaximumTokens is not { } maximum || WordCount.Of(text) is var words && words <= maximum)
            return text;
        cutWords = words - maximum;
        return WordCount.Last(text, maximum);
    }
}

/// <summary>Words as white space divides them.</summary>
internal static class WordCount
{
    public static int Of(ReadOnlySpan<char> text)
    {
        var count = 0;
        for (var i = 0; i < text.Length; i++)
            count += IsStart(text, i) ? 1 : 0;
        return count;
    }

    /// <summary>Returns the end of a text with so many words.</summary>
    public static string Last(string text, int words)
    {
        var start = text.Length;
        while (words > 0 && start > 0)
            words -= IsStart(text, --start) ? 1 : 0;
        return text[start..];
    }

    private static bool IsStart(ReadOnlySpan<char> text, int at) => !char.IsWhiteSpace(text[at]) && (at == 0 || char.IsWhiteSpace(text[at - 1]));
}

/// <summary>Says what is wrong with the turn number of a row.</summary>
internal static class TurnNumbers
{
    /// <exception cref="FormatException">The number is missing, or not above the last one; the message names conversation, row, value and what would be right.</exception>
    public static void Check(string column, string conversation, double number, double? last, long row)
    {
        if (double.IsFinite(number) && !(number <= last))
            return;
        var right = last is { } before ? FormattableString.Invariant($"above {before}, the turn before it") : "a number";
        var problem = number == last ? "is there twice" : number < last ? "comes too late" : "is missing";
        throw new FormatException(FormattableString.Invariant($"Turn column '{column}', {RowName.Of(row)}, conversation '{conversation}': turn {number} {problem}; it must be {right}. Sort the rows by conversation and turn, give each conversation a name of its own, or leave the turn column out if the rows are in order."));
    }
}
