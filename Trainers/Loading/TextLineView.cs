using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>The lines of text files as rows of one column.</summary>
internal sealed class TextLineView : FileDataView
{
    private readonly DataFile[] _files;

    private TextLineView(IHost host, DataViewSchema schema, DataFile[] files)
        : base(host, schema)
    {
        _files = files;
    }

    public override bool CanShuffle => false;

    public static TextLineView Create(IHostEnvironment env, IReadOnlyList<string> paths, string columnName)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentException.ThrowIfNullOrWhiteSpace(columnName);
        if (paths.Count == 0)
            throw new ArgumentException("No path is given; at least one file is needed.", nameof(paths));
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(columnName, TextDataViewType.Instance);
        return new TextLineView(env.Register(nameof(TextLineView)), schema.ToSchema(), [.. paths.Select(DataFile.Find)]);
    }

    /// <summary>Not known before reading.</summary>
    public override long? GetRowCount() => null;

    protected override DataViewRowCursor CreateCursor(bool[] active, Random? random) => new TextLineCursor(Host, Schema, active, _files);
}

/// <summary>Reads the lines of text files; a line is decoded when it is requested.</summary>
internal sealed class TextLineCursor(IHost host, DataViewSchema schema, bool[] active, DataFile[] files) : FileCursor(host, schema, active)
{
    private int _nextFile;
    private LineReader? _reader;
    private string? _text;

    protected override bool MoveNextCore()
    {
        _text = null; // each row gets a new string, because callers may keep it
        while (_reader == null || !_reader.MoveNext())
        {
            _reader?.Dispose();
            _reader = null;
            if (_nextFile == files.Length)
                return false;
            _reader = new LineReader(files[_nextFile++]);
        }
        Row++;
        return true;
    }

    protected override Delegate CreateGetter(int column)
    {
        ValueGetter<ReadOnlyMemory<char>> getter = GetText;
        return getter;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _reader?.Dispose();
        base.Dispose(disposing);
    }

    private void GetText(ref ReadOnlyMemory<char> destination)
    {
        CheckOnRow();
        _text ??= _reader!.DecodeCurrent();
        destination = _text.AsMemory();
    }
}
