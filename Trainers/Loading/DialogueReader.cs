using System.Globalization;
using MLExtensions.Families.Conversations;

namespace MLExtensions.Loading;

/// <summary>Reads dialogues of numbered lines: <c>number user TAB answer</c>, or <c>number fact</c>.</summary>
internal sealed class DialogueReader(DialogueLoadingOptions options)
{
    // Later changes of the options have no effect.
    private readonly HistoryFormat _format = options.Format;
    private readonly string? _factMarker = options.KeepFacts ? options.FactMarker : null;

    private const string Expected = "expected is a number, a space, and 'user TAB answer' or a fact";

    public static string[] TextColumns { get; } = ["Source", "User", "Target"];

    /// <exception cref="FormatException">A line is of another form; the message names file and line.</exception>
    public IEnumerable<FileTurn> Read(DataFile[] files)
    {
        var conversation = -1;
        foreach (var file in files)
        {
            using var reader = new LineReader(file);
            TurnHistory? history = null;
            while (reader.MoveNext())
            {
                var line = reader.DecodeCurrent();
                if (string.IsNullOrWhiteSpace(line))
                {
                    history = null;
                    continue;
                }
                var (number, fields) = Parse(line, file, reader.LineNumber);
                if (history == null || number == 1)
                {
                    history = new TurnHistory(_format);
                    conversation++;
                }
                else if (number <= history.LastNumber)
                {
                    throw Wrong(file, reader.LineNumber, FormattableString.Invariant($"its number is {number}, after {history.LastNumber}; it must be {history.LastNumber + 1}, or 1 in a new dialogue"));
                }
                history.LastNumber = number;
                if (fields.Length == 2)
                {
                    history.Add(_format.Turn("", fields[0], isAnswer: false));
                    yield return new FileTurn(conversation, number, [history.Join(out _), fields[0], fields[1]]);
                    history.Add(_format.Turn("", fields[1], isAnswer: true));
                }
                else if (_factMarker != null)
                {
                    history.Add(_factMarker + fields[0]);
                }
            }
        }
    }

    private static (int Number, string[] Fields) Parse(string line, DataFile file, long lineNumber)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || !int.TryParse(line.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw Wrong(file, lineNumber, $"it begins with '{line[..Math.Min(line.Length, 20)]}'; {Expected}");
        var fields = line[(space + 1)..].Split('\t');
        return fields.Length <= 2 ? (number, fields) : throw Wrong(file, lineNumber, FormattableString.Invariant($"it has {fields.Length} fields; {Expected}"));
    }

    private static FormatException Wrong(DataFile file, long line, string problem) => file.Wrong(FormattableString.Invariant($"line {line}: {problem}"));
}

/// <summary>Reads conversations of one line each: some leading fields, then the turns, all with tabs between them.</summary>
internal static class ConversationLineReader
{
    public const string TextColumn = "Text";

    /// <param name="files">The files.</param>
    /// <param name="leading">The number of fields before the turns.</param>
    /// <exception cref="FormatException">A line has too few fields; the message names file and line.</exception>
    public static IEnumerable<FileTurn> Read(DataFile[] files, int leading)
    {
        var conversation = -1;
        foreach (var file in files)
        {
            using var reader = new LineReader(file);
            while (reader.MoveNext())
            {
                conversation++;
                var line = reader.DecodeCurrent();
                if (line.Length == 0)
                    continue;
                var fields = line.Split('\t');
                if (fields.Length <= leading)
                    throw file.Wrong(FormattableString.Invariant($"line {reader.LineNumber}: it has {fields.Length} fields; there must be {leading} before the turns, and a turn, with tabs between them"));
                for (var i = leading; i < fields.Length; i++)
                {
                    if (!string.IsNullOrWhiteSpace(fields[i]))
                        yield return new FileTurn(conversation, i - leading + 1, [.. fields[..leading], fields[i]]);
                }
            }
        }
    }
}
