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
            throw new ArgumentException("There is no path; at least one file must be given.", nameof(paths));
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(columnName, TextDataViewType.Instance);
        return new TextLineView(env.Register(nameof(TextLineView)), schema.ToSchema(), [.. paths.Select(DataFile.Find)]);
    }

    /// <summary>Only reading tells.</summary>
    public override long? GetRowCount() => null;

    protected override DataViewRowCursor CreateCursor(bool[] active, Random? random) => new TextLineCursor(Host, Schema, active, _files);
}

/// <summary>Goes through the lines of text files; one is decoded when it is asked for.</summary>
internal sealed class TextLineCursor(IHost host, DataViewSchema schema, bool[] active, DataFile[] files) : FileCursor(host, schema, active)
{
    private int _nextFile;
    private LineReader? _reader;
    private string? _text;

    protected override bool MoveNextCore()
    {
        _text = null; // a row's text is a string of its own, for others may keep it
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
