using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Conversations;
using MLExtensions.Models;
using MLExtensions.Persistence;

[assembly: LoadableClass(typeof(ConversationHistoryTransformer), typeof(ConversationHistoryTransformer), null, typeof(SignatureLoadModel), "", ConversationHistoryTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds a text column with what was said in a row's conversation so far.</summary>
/// <remarks>
/// <para>
/// Rows are read in their order, one by one; rows of several conversations may be mixed. What is kept in memory is the last turns of each
/// conversation, or all of them if the number is not limited. Rows are not shuffled and not divided among threads.
/// </para>
/// <para>
/// A prediction engine remembers: each <c>Predict</c> is the next turn of its conversation. Use one engine for each chat, or names of
/// conversations that are not used again; a pool of engines would forget turns, so there use <see cref="Join"/> and leave this transformer
/// out of the pipeline.
/// </para>
/// </remarks>
public sealed class ConversationHistoryTransformer : ManagedTransformer
{
    internal const string LoaderSignature = "MLExtConvHistory";
    private const string ModelSignature = "MLEXTCVH";
    private const string Entry = "conversation.json";
    private const int FormatVersion = 1;
    private const int MaximumBytes = 1 << 20;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        NewLine = "\n",
    };

    private readonly ConversationColumnNames _columns;
    private readonly HistoryFormat _format;
    private bool _isToldOfCut;

    internal ConversationHistoryTransformer(IHostEnvironment env, string outputColumnName, ConversationColumnNames columns, HistoryFormat format)
        : base(env, ModelSignature, LoaderSignature) => (OutputColumnName, _columns, _format) = (outputColumnName, columns, format);

    /// <summary>The column that is added.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column of what is said in each row.</summary>
    public string InputColumnName => _columns.Text;

    /// <summary>The column of conversations.</summary>
    public string ConversationColumnName => _columns.Conversation;

    /// <summary>The number of turns that are joined; null for all.</summary>
    public int? NumberOfTurns => _format.NumberOfTurns;

    /// <summary>Joins turns as the column does: for an application that keeps the turns of its conversations itself.</summary>
    /// <param name="turns">
    /// The turns, the oldest first. If there is an answer column, the last turn is one of the text column, the one before it an answer, and
    /// so on.
    /// </param>
    /// <returns>What the column would be if the last turn were the row's.</returns>
    public string Join(params IReadOnlyList<string> turns)
    {
        ArgumentNullException.ThrowIfNull(turns);
        var history = new TurnHistory(_format);
        for (var i = 0; i < turns.Count; i++)
            history.Add(_format.Turn("", turns[i], isAnswer: _columns.Answer != null && (turns.Count - i) % 2 == 0));
        return history.Join(out _);
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(new Content(FormatVersion, OutputColumnName, _columns, _format), Json);
        ctx.SaveBinaryStream(Entry, writer => writer.Write(json));
    }

    private protected override IDataView Apply(IDataView input)
    {
        _columns.Check(SchemaShape.Create(input.Schema));
        return new ConversationView(input, OutputColumnName, _columns, _format, onlyAnswers: false, TellCut);
    }

    private protected override IRowMapper CreateMapper(DataViewSchema schema)
    {
        _columns.Check(SchemaShape.Create(schema));
        return new Mapper(this, schema);
    }

    internal static ConversationHistoryTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        try
        {
            var content = JsonSerializer.Deserialize<Content>(ModelEntry.Read(ctx, Entry, MaximumBytes), Json) ?? throw new FormatException("it is null.");
            if (content.FormatVersion != FormatVersion)
                throw new FormatException(FormattableString.Invariant($"its formatVersion is {content.FormatVersion}; this library reads {FormatVersion}."));
            if (content.Format is { NumberOfTurns: < 1 } or { MaximumTokens: < 1 })
                throw new FormatException("a number of turns or tokens is not positive.");
            return new ConversationHistoryTransformer(env, content.Output, content.Columns, content.Format);
        }
        catch (Exception e) when (e is JsonException or FormatException and not ModelFormatException)
        {
            throw new ModelFormatException(Entry, "is no conversation history: " + e.Message, e);
        }
    }

    /// <summary>Tells of the first pass that cuts; later ones cut the same.</summary>
    private void TellCut(long rows, long words)
    {
        if (Interlocked.Exchange(ref _isToldOfCut, true))
            return;
        using var channel = Host.Start("Text");
        channel.Info("{0}", FormattableString.Invariant($"Column '{OutputColumnName}': {words} words at the beginning of {rows} histories were cut, which have more than MaximumTokens = {_format.MaximumTokens}."));
    }

    private sealed record Content(int FormatVersion, string Output, ConversationColumnNames Columns, HistoryFormat Format);

    /// <summary>The rows of a prediction engine, which is a conversation in progress.</summary>
    private sealed class Mapper(ConversationHistoryTransformer transformer, DataViewSchema schema) : RowMapper(transformer)
    {
        public override Func<int, bool> GetDependencies(Func<int, bool> activeOutput) => column => activeOutput(0) && transformer._columns.All.Contains(schema[column].Name);

        public override DataViewSchema.DetachedColumn[] GetOutputColumns() => [new DataViewSchema.DetachedColumn(transformer.OutputColumnName, TextDataViewType.Instance)];

        public override Delegate?[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            if (!activeOutput(0))
                return [null];
            var reader = new ConversationReader(row, transformer._columns, transformer._format);
            ValueGetter<ReadOnlyMemory<char>> getter = (ref ReadOnlyMemory<char> destination) => destination = reader.Read().AsMemory();
            return [getter];
        }
    }
}
