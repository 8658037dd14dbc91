using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Conversations;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Adds a text column with what was said in a row's conversation so far: the input of a network that answers, where a row is one turn.
/// </summary>
/// <remarks>
/// <para>
/// Nothing is trained. Rows are read in their order; those of several conversations may be mixed. See
/// <see cref="ConversationHistoryTransformer"/> for memory and prediction engines.
/// </para>
/// <para>
/// A turn is a text that is not empty. By default turns are lines: tokenizers read a line feed as one token, which marks where a turn ends.
/// </para>
/// </remarks>
public sealed class ConversationHistoryEstimator : ManagedEstimator<ConversationHistoryTransformer>
{
    private readonly string _output;
    private readonly ConversationColumnNames _columns;
    private readonly HistoryFormat _format;

    internal ConversationHistoryEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(ConversationHistoryEstimator))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        (_output, _columns, _format) = (options.OutputColumnName, options.Columns, options.Format);
    }

    private protected override void CheckSchema(SchemaShape schema) => _columns.Check(schema);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input) => [Added(_output, TextDataViewType.Instance)];

    private protected override ConversationHistoryTransformer FitChecked(IDataView input) => new(Host, _output, _columns, _format);

    /// <summary>The options of <see cref="ConversationHistoryEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>The column to add, a <c>Text</c>. Default <c>Source</c>.</summary>
        public string OutputColumnName { get; set; } = "Source";

        /// <summary>The column of what is said in each row, a <c>Text</c>. Default <c>Text</c>.</summary>
        public string InputColumnName { get; set; } = "Text";

        /// <summary>The column that names the conversation of each row: a key, text or a whole number. Default <c>Conversation</c>.</summary>
        public string ConversationColumnName { get; set; } = "Conversation";

        /// <summary>
        /// The column of turn numbers, by which the order of rows is checked: they must rise within a conversation, but may leave numbers
        /// out. Default null: the rows are in order.
        /// </summary>
        public string? TurnColumnName { get; set; }

        /// <summary>
        /// The text column of the answer to each row, if question and answer are in one row. Later rows have it in their history, its own
        /// row does not. Default null: each row is one turn.
        /// </summary>
        public string? AnswerColumnName { get; set; }

        /// <summary>The text column of who speaks; <c>name: </c> is put before the turn. Default null.</summary>
        public string? SpeakerColumnName { get; set; }

        /// <summary>The number of turns to join, at least 1; the row's own is one of them, unless <see cref="IncludeRow"/> is false. Default null: all.</summary>
        public int? NumberOfTurns { get; set; }

        /// <summary>
        /// Whether the row's own text is the last turn. If false, the column has only what was said before: the input of a network that
        /// writes the row's text. Default true.
        /// </summary>
        public bool IncludeRow { get; set; } = true;

        /// <summary>What is put between turns. Default a line feed.</summary>
        public string Separator { get; set; } = "\n";

        /// <summary>What is put before each turn of the input column, such as <c>"user: "</c>. Default empty.</summary>
        public string Marker { get; set; } = "";

        /// <summary>What is put before each turn of the answer column, such as <c>"bot: "</c>. Default empty.</summary>
        public string AnswerMarker { get; set; } = "";

        /// <summary>
        /// The number of words, as white space divides them, to keep at the end; earlier ones are cut, and counted in the log. Default
        /// null: all.
        /// </summary>
        public int? MaximumTokens { get; set; }

        internal ConversationColumnNames Columns => new(ConversationColumnName, TurnColumnName, InputColumnName, AnswerColumnName, SpeakerColumnName);

        internal HistoryFormat Format => new(NumberOfTurns, IncludeRow, Separator, Marker, AnswerMarker, MaximumTokens);

        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        internal void Check()
        {
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            OptionCheck.NotEmpty(InputColumnName, nameof(InputColumnName));
            OptionCheck.NotEmpty(ConversationColumnName, nameof(ConversationColumnName));
            OptionCheck.NotEmpty(TurnColumnName ?? "none", nameof(TurnColumnName));
            OptionCheck.NotEmpty(AnswerColumnName ?? "none", nameof(AnswerColumnName));
            OptionCheck.NotEmpty(SpeakerColumnName ?? "none", nameof(SpeakerColumnName));
            OptionCheck.AtLeast(NumberOfTurns ?? 1, 1, nameof(NumberOfTurns));
            OptionCheck.AtLeast(MaximumTokens ?? 1, 1, nameof(MaximumTokens));
            OptionCheck.NotNull(Separator, nameof(Separator));
            OptionCheck.NotNull(Marker, nameof(Marker));
            OptionCheck.NotNull(AnswerMarker, nameof(AnswerMarker));
        }
    }
}

/// <summary>Turns and what was said before them.</summary>
internal static class AnswerPairs
{
    /// <summary>Leaves out rows without a text or without anything before them.</summary>
    public static IDataView Create(IDataView data, ConversationHistoryEstimator.Options options)
    {
        options.Check();
        options.Columns.Check(SchemaShape.Create(data.Schema));
        return new ConversationView(data, options.OutputColumnName, options.Columns, options.Format, onlyAnswers: true, (_, _) => { });
    }
}
