using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Training;

namespace MLExtensions.Loading;

/// <summary>A row of a file of conversations.</summary>
/// <param name="Conversation">The number of the conversation, from 0.</param>
/// <param name="Turn">The number of the turn, from 1.</param>
/// <param name="Texts">The values of the text columns.</param>
internal sealed record FileTurn(int Conversation, int Turn, string[] Texts);

/// <summary>The turns of conversations in files as rows. Nothing is read until a cursor asks for it, and then one conversation at a time.</summary>
internal sealed class ConversationFileView : FileDataView
{
    public const string ConversationColumn = "Conversation";
    public const string TurnColumn = "Turn";
    public const string FoldColumn = "Fold";

    private readonly Func<IEnumerable<FileTurn>> _read;
    private readonly int? _folds;

    private ConversationFileView(IHost host, DataViewSchema schema, Func<IEnumerable<FileTurn>> read, int? folds)
        : base(host, schema) => (_read, _folds) = (read, folds);

    public override bool CanShuffle => false;

    /// <summary>Rejects names of leading columns that are empty, or that other columns have.</summary>
    public static void CheckLeading(IReadOnlyList<string> names, string option)
    {
        string[] taken = [ConversationColumn, TurnColumn, FoldColumn, ConversationLineReader.TextColumn];
        for (var i = 0; i < names.Count; i++)
        {
            OptionCheck.NotEmpty(names[i], option);
            if (taken.Contains(names[i]) || names.Take(i).Contains(names[i]))
                throw new ArgumentException($"{option}: '{names[i]}' is the name of another column; the others are {string.Join(", ", taken)}.", option);
        }
    }

    /// <param name="env">The environment.</param>
    /// <param name="paths">The files, in reading order.</param>
    /// <param name="texts">The names of the text columns.</param>
    /// <param name="folds">The number of folds, for a column that says to which a conversation belongs; null for no such column.</param>
    /// <param name="read">Reads the rows.</param>
    /// <exception cref="FileNotFoundException">A file does not exist.</exception>
    public static ConversationFileView Create(IHostEnvironment env, IReadOnlyList<string> paths, IEnumerable<string> texts, int? folds, Func<DataFile[], IEnumerable<FileTurn>> read)
    {
        ArgumentNullException.ThrowIfNull(paths);
        if (paths.Count == 0)
            throw new ArgumentException("No path is given; at least one file is needed.", nameof(paths));
        DataFile[] files = [.. paths.Select(DataFile.Find)];
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(ConversationColumn, NumberDataViewType.Int32);
        schema.AddColumn(TurnColumn, NumberDataViewType.Int32);
        if (folds != null)
            schema.AddColumn(FoldColumn, NumberDataViewType.Single);
        foreach (var text in texts)
            schema.AddColumn(text, TextDataViewType.Instance);
        return new ConversationFileView(env.Register(nameof(ConversationFileView)), schema.ToSchema(), () => read(files), folds);
    }

    /// <summary>Not known before reading.</summary>
    public override long? GetRowCount() => null;

    protected override DataViewRowCursor CreateCursor(bool[] active, Random? random) => new Cursor(this, active);

    private sealed class Cursor(ConversationFileView view, bool[] active) : FileCursor(view.Host, view.Schema, active)
    {
        private readonly IEnumerator<FileTurn> _turns = view._read().GetEnumerator();

        protected override bool MoveNextCore()
        {
            Row++;
            return _turns.MoveNext();
        }

        protected override Delegate CreateGetter(int column)
        {
            var firstText = Schema.Count(each => each.Type is not TextDataViewType);
            return Schema[column].Name switch
            {
                _ when column >= firstText => Get(turn => turn.Texts[column - firstText].AsMemory()),
                ConversationColumn => Get(turn => turn.Conversation),
                TurnColumn => Get(turn => turn.Turn),
                _ => Get(turn => (float)(turn.Conversation % view._folds!.Value)),
            };
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _turns.Dispose();
            base.Dispose(disposing);
        }

        private ValueGetter<T> Get<T>(Func<FileTurn, T> value) => (ref T destination) =>
        {
            CheckOnRow();
            destination = value(_turns.Current);
        };
    }
}
