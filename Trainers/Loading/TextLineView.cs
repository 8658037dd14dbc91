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
