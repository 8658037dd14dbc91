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

    protected override DataViewRowCursor CreateCursor(bool[] active, Random? random) =>
        new ImageFolderCursor(Host, Schema, active, _files, random);
}
