using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Loading;

/// <summary>The images of a folder as rows: path, class, image.</summary>
internal sealed class ImageFolderView : FileDataView
{
    public const string PathColumn = "ImagePath";
    public const string ImageColumn = "Image";

    private readonly ImageFiles _files;

    private ImageFolderView(IHost host, DataViewSchema schema, ImageFiles files)
        : base(host, schema)
    {
        _files = files;
    }

    public override bool CanShuffle => true;

    public static ImageFolderView Create(IHostEnvironment env, ImageFolder folder, BadImageHandling onBadImage, bool upright)
    {
        var host = env.Register(nameof(ImageFolderView));
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(PathColumn, TextDataViewType.Instance);
        LabelColumn.AddNamed(schema, folder.ClassNames);
        schema.AddColumn(ImageColumn, new ImageDataViewType());
        return new ImageFolderView(host, schema.ToSchema(), new ImageFiles(host, folder, onBadImage, upright));
    }

    public override long? GetRowCount() => _files.Count;

    /// <summary>
    /// Returns the requested number of cursors if images are decoded, so that the following transforms also run on several threads.
    /// </summary>
    public override DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var active = Active(columnsNeeded);
        if (n <= 1 || !active[Schema[ImageColumn].Index])
            return [CreateCursor(active, rand)];
        var order = Order(rand);
        var cursors = new DataViewRowCursor[n];
        for (var i = 0; i < n; i++)
            cursors[i] = new ImageFolderCursor(Host, Schema, active, _files, order, new RowShare(i, n));
        return cursors;
    }

    protected override DataViewRowCursor CreateCursor(bool[] active, Random? random) =>
        new ImageFolderCursor(Host, Schema, active, _files, Order(random), new RowShare(0, 1));

    private int[]? Order(Random? random) => random == null ? null : FileCursor.Shuffle(_files.Folder.Paths.Length, random);
}

/// <summary>Reads the images of a folder; an image is decoded when it is requested.</summary>
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
        _decoded?.Dispose(); // was not requested
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
        destination = (uint)_files.Folder.Classes[Row] + 1; // 0 is a missing key
    }

    private void GetImage(ref MLImage destination)
    {
        CheckOnRow();
        destination?.Dispose(); // as in ML.NET's loader: the caller returned the previous image
        destination = _decoded ?? _files.Decode((int)Row);
        _decoded = null;
    }
}

/// <summary>The rows of one cursor of a set: every n-th run of a few rows, so that ML.NET can restore the order of the rows.</summary>
internal readonly record struct RowShare(int Index, int Count)
{
    private const int RunLength = 16;

    public int First => Index * RunLength;

    public int Next(int place) => (place + 1) % RunLength != 0 ? place + 1 : place + 1 + (RunLength * (Count - 1));

    /// <summary>The number of the run, over all cursors.</summary>
    public static long Batch(int place) => place / RunLength;
}
