using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>Goes through a folder's images; one is decoded when it is asked for.</summary>
internal sealed class ImageFolderCursor : FileCursor
{
    private readonly ImageFiles _files;
    private readonly int[]? _order;
    private readonly RowShare _share;
    private int _next;
    private int _place;
    private MLImage? _decoded;

    public ImageFolderCursor(IHost host, DataViewSchema schema, bool[] active, ImageFiles files, int[]? order, RowShare share)
        : base(host, schema, active)
    {
        _files = files;
        _order = order;
        _share = share;
        _next = share.First;
    }

    public override long Batch => RowShare.Batch(_place);

    private string Path => _files.Folder.Paths[Row];

    protected override bool MoveNextCore()
    {
        _decoded?.Dispose(); // nobody asked for it
        _decoded = null;
        while (_next < _files.Folder.Paths.Length)
        {
            _place = _next;
            _next = _share.Next(_place);
            Row = _order == null ? _place : _order[_place];
            if (_files.IsRow((int)Row, out _decoded))
                return true;
        }
        return false;
    }

    protected override Delegate CreateGetter(int column)
    {
        switch (Schema[column].Name)
        {
            case ImageFolderView.PathColumn:
                ValueGetter<ReadOnlyMemory<char>> path = GetPath;
                return path;
            case LabelColumn.Name:
                ValueGetter<uint> label = GetLabel;
                return label;
            default:
                ValueGetter<MLImage> image = GetImage;
                return image;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _decoded?.Dispose();
        base.Dispose(disposing);
    }

    private void GetPath(ref ReadOnlyMemory<char> destination)
    {
        CheckOnRow();
        destination = Path.AsMemory();
    }

    private void GetLabel(ref uint destination)
    {
        CheckOnRow();
        destination = (uint)_files.Folder.Classes[Row] + 1; // 0 is a key's missing value
    }

    private void GetImage(ref MLImage destination)
    {
        CheckOnRow();
        destination?.Dispose(); // as ML.NET's loader does: the caller gave the last image back
        destination = _decoded ?? ImageDecoder.Decode(Path);
        _decoded = null;
    }
}
