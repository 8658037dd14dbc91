using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using SkiaSharp;

namespace MLExtensions.Examples.Style;

/// <summary>Pictures side by side in a PNG.</summary>
internal static class PictureStrip
{
    private const int Gap = 6;
    private const int BytesPerPixel = 4;

    /// <summary>Saves pictures in rows. Those of a column are as wide as the widest, those of a row as high as the highest.</summary>
    /// <param name="path">The file.</param>
    /// <param name="columns">The number of pictures in a row.</param>
    /// <param name="pictures">The pictures; null leaves a place empty.</param>
    public static void Save(string path, int columns, IReadOnlyList<MLImage?> pictures)
    {
        var rows = (pictures.Count + columns - 1) / columns;
        var widths = Enumerable.Range(0, columns).Select(column => Enumerable.Range(0, rows).Select(row => (row * columns) + column).Where(i => i < pictures.Count).Max(i => pictures[i]?.Width ?? 1)).ToArray();
        var heights = Enumerable.Range(0, rows).Select(row => pictures.Skip(row * columns).Take(columns).Max(picture => picture?.Height ?? 1)).ToArray();
        using var sheet = new SKBitmap(widths.Sum(width => width + Gap) - Gap, heights.Sum(height => height + Gap) - Gap);
        using (var canvas = new SKCanvas(sheet))
        {
            canvas.Clear(SKColors.White);
            for (var i = 0; i < pictures.Count; i++)
            {
                if (pictures[i] is not { } picture)
                    continue;
                using var bitmap = ToBitmap(picture);
                canvas.DrawBitmap(bitmap, widths.Take(i % columns).Sum(width => width + Gap), heights.Take(i / columns).Sum(height => height + Gap));
            }
        }
        using var data = sheet.Encode(SKEncodedImageFormat.Png, 100);
        using var file = File.Create(path);
        data.SaveTo(file);
    }

    private static SKBitmap ToBitmap(MLImage picture)
    {
        var type = picture.PixelFormat == MLPixelFormat.Rgba32 ? SKColorType.Rgba8888 : SKColorType.Bgra8888;
        var bitmap = new SKBitmap(picture.Width, picture.Height, type, SKAlphaType.Unpremul);
        picture.Pixels[..(picture.Width * picture.Height * BytesPerPixel)].CopyTo(bitmap.GetPixelSpan());
        return bitmap;
    }
}

/// <summary>The pictures of the documentation: four contents and four styles.</summary>
internal static class StripPictures
{
    private static readonly string[] ContentNames = ["china.jpg", "flower.jpg", "content_amber.jpg", "content_chicago.jpg"];
    private static readonly string[] StyleNames = ["style_starry_night_crop.jpg", "style_wave_crop.jpg", "style_mosaic.jpg", "style_the_scream.jpg"];

    public static ExternalData Folder { get; } = new("The pictures of the strip", "strip-pictures", "DIR", "The folder with the four contents and the four styles of the documentation.", "style");

    public static string[] Contents(ExampleArguments arguments) => Files(arguments, ContentNames);

    public static string[] Styles(ExampleArguments arguments) => Files(arguments, StyleNames);

    /// <summary>Makes pictures smaller, here, where it can be seen: the library never does it by itself.</summary>
    /// <param name="paths">Their files.</param>
    /// <param name="side">The pixels of the shorter side.</param>
    /// <param name="output">Where they are saved.</param>
    /// <param name="name">What they are called there.</param>
    public static string[] Resize(IEnumerable<string> paths, int side, OutputFolder output, string name) => paths.Select((path, i) =>
    {
        using var picture = PictureFile.Read(path);
        var scale = (double)side / Math.Min(picture.Width, picture.Height);
        using var resized = PictureFile.Resize(picture, (int)Math.Round(picture.Width * scale), (int)Math.Round(picture.Height * scale));
        var destination = output.PathOf($"{name}-{i + 1}.png");
        PictureStrip.Save(destination, 1, [resized]);
        return destination;
    }).ToArray();

    private static string[] Files(ExampleArguments arguments, string[] names)
    {
        var folder = Folder.Find(arguments);
        return Array.ConvertAll(names, name => Path.Combine(folder, name));
    }
}

/// <summary>Pictures of files as data, and back.</summary>
internal static class PictureRows
{
    /// <summary>The pictures of files in the column <c>Image</c>, each of its own size.</summary>
    public static IDataView Load(MLContext mlContext, params IEnumerable<string> paths)
    {
        var files = mlContext.Data.LoadFromEnumerable(paths.Select(path => new FileRow { Path = Path.GetFullPath(path) }).ToArray());
        return mlContext.Transforms.LoadImages("Image", "", nameof(FileRow.Path)).Fit(files).Transform(files);
    }

    /// <summary>The pictures of a column.</summary>
    public static IEnumerable<MLImage> Read(IDataView data, string column)
    {
        using var cursor = data.GetRowCursor([data.Schema[column]]);
        var getter = cursor.GetGetter<MLImage>(data.Schema[column]);
        while (cursor.MoveNext())
        {
            MLImage? picture = null;
            getter(ref picture!);
            yield return picture;
        }
    }

    private sealed class FileRow
    {
        public string Path { get; set; } = "";
    }
}
