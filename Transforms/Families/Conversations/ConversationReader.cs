using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Text;

namespace MLExtensions.Families.Conversations;

/// <summary>The names of the columns of conversations; those that are not needed are null.</summary>
internal sealed record ConversationColumnNames(string Conversation, string? Turn, string Text, string? Answer, string? Speaker)
{
    /// <summary>All that are there.</summary>
    [JsonIgnore]
    public IEnumerable<string> All => new[] { Conversation, Turn, Text, Answer, Speaker }.OfType<string>();

    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public void Check(SchemaShape schema)
    {
        ConversationColumn.Check(schema, Conversation);
        if (Turn is { } turn && Find(schema, turn, "Turn") is var number && (number.Kind != SchemaShape.Column.VectorKind.Scalar || number.IsKey || number.ItemType is not NumberDataViewType))
            throw new ArgumentException($"Turn column '{turn}' has type {number.GetTypeString()}; it must be a number. Leave it null if the rows of each conversation are in order.");
        foreach (var text in new[] { Text, Answer, Speaker }.OfType<string>())
            TextColumn.Check(schema, text);
    }

    internal static SchemaShape.Column Find(SchemaShape schema, string name, string role) => schema.TryFindColumn(name, out var found)
        ? found
        : throw new ArgumentException($"{role} column '{name}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}.");
}

/// <summary>The column that says to which conversation a row belongs.</summary>
internal static class ConversationColumn
{
    /// <exception cref="ArgumentException">The column is missing or of a wrong type; the message names it.</exception>
    public static void Check(SchemaShape schema, string name)
    {
        var found = ConversationColumnNames.Find(schema, name, "Conversation");
        var isWhole = found.ItemType is NumberDataViewType && found.ItemType != NumberDataViewType.Single && found.ItemType != NumberDataViewType.Double;
        if (found.Kind != SchemaShape.Column.VectorKind.Scalar || !(found.IsKey || isWhole || found.ItemType is TextDataViewType))
            throw new ArgumentException($"Conversation column '{name}' has type {found.GetTypeString()}; it must be a key, text or a whole number.");
    }

    /// <summary>Returns what reads the name of the current row's conversation.</summary>
    /// <exception cref="FormatException">A name is missing; the message names column and row. Thrown when it is read.</exception>
    public static Func<string> Open(DataViewRow row, string name)
    {
        var column = row.Schema[name];
        var getName = RowCursorUtils.GetGetterAsStringBuilder(row, column.Index);
        var keys = KeyNames.Of(column); // as text, a key is its number from 0
        var text = new StringBuilder();
        return () =>
        {
            getName(ref text);
            return text.Length > 0
                ? keys == null ? text.ToString() : keys[int.Parse(text.ToString(), CultureInfo.InvariantCulture)]
                : throw new FormatException($"Conversation column '{name}', {RowName.Of(row.Position)}: the value is missing; every row must belong to a conversation.");
        };
    }
}

/// <summary>Reads rows one after the other, and remembers what was said in each conversation.</summary>
internal sealed class ConversationReader
{
    private readonly DataViewRow _row;
    private readonly ConversationColumnNames _columns;
    private readonly HistoryFormat _format;
    private readonly Func<string> _getConversation;
    private readonly ValueGetter<double>? _getTurn;
    private readonly ValueGetter<ReadOnlyMemory<char>> _getText;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _getAnswer;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _getSpeaker;
    private readonly Dictionary<string, TurnHistory> _histories = [];
    private string _current = "";
    private long _position = -1;

    public ConversationReader(DataViewRow row, ConversationColumnNames columns, HistoryFormat format)
    {
        (_row, _columns, _format) = (row, columns, format);
        _getConversation = ConversationColumn.Open(row, columns.Conversation);
        _getTurn = columns.Turn is { } turn ? RowCursorUtils.GetGetterAs<double>(NumberDataViewType.Double, row, row.Schema[turn].Index) : null;
        _getText = Open(columns.Text)!;
        _getAnswer = Open(columns.Answer);
        _getSpeaker = Open(columns.Speaker);
    }

    /// <summary>The number of rows whose history was cut, and of the words that were cut.</summary>
    public (long Rows, long Words) Cut { get; private set; }

    /// <summary>Whether the current row has a text, and something was said before.</summary>
    public bool IsAnswer { get; private set; }

    /// <summary>Returns the history of the current row; a row that is asked for twice is read once.</summary>
    /// <exception cref="FormatException">Conversation or turn is missing, or turns are out of order; the message names column, row and value.</exception>
    public string Read()
    {
        if (_position == _row.Position && _position >= 0)
            return _current;
        var conversation = _getConversation();
        if (!_histories.TryGetValue(conversation, out var history))
            _histories.Add(conversation, history = new TurnHistory(_format));
        if (_getTurn != null)
            CheckTurn(conversation, history);
        var speaker = Value(_getSpeaker) is { Length: > 0 } name ? $"{name}: " : "";
        var text = Value(_getText);
        IsAnswer = history.Count > 0 && !text.Span.IsWhiteSpace();
        if (!_format.IncludesRow)
            _current = Join(history);
        Add(history, text, speaker, isAnswer: false);
        if (_format.IncludesRow)
            _current = Join(history);
        // The answer of a row is what later rows know of it.
        Add(history, Value(_getAnswer), "", isAnswer: true);
        _position = _row.Position;
        return _current;
    }

    private void CheckTurn(string conversation, TurnHistory history)
    {
        var number = 0d;
        _getTurn!(ref number);
        TurnNumbers.Check(_columns.Turn!, conversation, number, history.LastNumber, _row.Position);
        history.LastNumber = number;
    }

    private void Add(TurnHistory history, ReadOnlyMemory<char> text, string speaker, bool isAnswer)
    {
        if (!text.Span.IsWhiteSpace())
            history.Add(_format.Turn(speaker, text.Span, isAnswer));
    }

    private string Join(TurnHistory history)
    {
        var text = history.Join(out var cut);
        if (cut > 0)
            Cut = (Cut.Rows + 1, Cut.Words + cut);
        return text;
    }

    private ValueGetter<ReadOnlyMemory<char>>? Open(string? column) => column == null ? null : _row.GetGetter<ReadOnlyMemory<char>>(_row.Schema[column]);

    private static ReadOnlyMemory<char> Value(ValueGetter<ReadOnlyMemory<char>>? getter)
    {
        ReadOnlyMemory<char> text = default;
        getter?.Invoke(ref text);
        return text;
    }
}
