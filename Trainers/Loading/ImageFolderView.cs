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

    public static ImageFolderView Create(IHostEnvironment env, ImageFolder folder, BadImages onBadImage)
    {
        var host = env.Register(nameof(ImageFolderView));
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(PathColumn, TextDataViewType.Instance);
        LabelColumn.AddNamed(schema, folder.ClassNames);
        schema.AddColumn(ImageColumn, new ImageDataViewType());
        return new ImageFolderView(host, schema.ToSchema(), new ImageFiles(host, folder, onBadImage));
    }

    public override long? GetRowCount() => _files.Count;

    /// <summary>As many cursors as asked for where images are decoded: then the transforms behind, too, run on several threads.</summary>
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
