using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MLExtensions.Tests.Loading;

/// <summary>Photos are turned as their EXIF orientation says, and what a folder has besides images is said.</summary>
[TestClass]
public sealed class ImageFileTests
{
    /// <summary>The corners from top left over top right and bottom left to bottom right: red, green, blue and white as they are stored.</summary>
    [TestMethod]
    [DataRow(0, "RGBW")]
    [DataRow(1, "RGBW")]
    [DataRow(2, "GRWB")]
    [DataRow(3, "WBGR")]
    [DataRow(4, "BWRG")]
    [DataRow(5, "RBGW")]
    [DataRow(6, "BRWG")]
    [DataRow(7, "WGBR")]
    [DataRow(8, "GWRB")]
    public void Orientation_IsThatOfExif(int orientation, string corners)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("photos/1.jpg", Photo(orientation));
        using var image = ImageFile.Load(path);
        Assert.AreEqual(orientation >= 5 ? (16, 32) : (32, 16), (image.Width, image.Height));
        Assert.AreEqual(corners, Corners(image));
        Assert.AreEqual(path, image.Tag);
        using var stored = ImageFile.Load(path, upright: false);
        Assert.AreEqual("RGBW", Corners(stored));

        var ml = new MLContext(1);
        Assert.AreEqual(corners, Corners(First(ml.Data.LoadFromImageFolder(folder.Path))));
        Assert.AreEqual("RGBW", Corners(First(ml.Data.LoadFromImageFolder(folder.Path, upright: false))));
        Assert.AreEqual(corners, Corners(First(ml.Data.LoadFromImageFolder(folder.Path, onBadImage: BadImageHandling.Throw))));
    }

    [TestMethod]
    public void WhatIsNoRow_IsCounted()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "ape/1.jpg", "ape/2.jfif", "cat/3.JPG", "1.jpg", "ape/old/4.jpg", "ape/old/older/5.jpg" })
            folder.Write(name, Photo(1));
        foreach (var name in new[] { "ape/6.tif", "ape/7.TIF", "cat/8.heic", "cat/notes", "ape/.hidden", "labels.csv" })
            folder.Write(name, [1, 2]);
        folder.File("owl", "x");
        var (data, warnings) = Load(folder.Path);
        Assert.AreEqual("1.jpg 2.jfif 3.JPG", string.Join(' ', data.GetColumn<string>("ImagePath").Select(Path.GetFileName)));
        VBuffer<ReadOnlyMemory<char>> names = default;
        data.Schema["Label"].GetKeyValues(ref names);
        Assert.AreEqual("ape cat owl", string.Join(' ', names.DenseValues()));
        var warning = warnings.Single();
        foreach (var part in new[] { "2 x .tif", "1 x .heic", "1 x no ending", "1 folder within class folders, with 2 files", "2 files beside the class folders", "'owl' has no images", "3 images in 3 class folders" })
            Assert.Contains(part, warning);
    }

    /// <summary>By default thousands of bad files are skipped; ten are named, and their number is said once.</summary>
    [TestMethod]
    public void BadImages_AreSkippedAndCounted()
    {
        using var folder = new TemporaryFolder();
        for (var i = 0; i < 4; i++)
            folder.Write($"a/{i}.jpg", Photo(1));
        for (var i = 0; i < 12; i++)
            folder.Write($"b/{i:00}.jpg", i % 2 == 0 ? [] : [1, 2, 3]);
        var (data, warnings) = Load(folder.Path);
        Assert.HasCount(4, data.GetColumn<uint>("Label").ToArray());
        Assert.HasCount(4, data.GetColumn<uint>("Label").ToArray());
        Assert.HasCount(11, warnings);
        Assert.Contains("it is empty", warnings[0]);
        Assert.Contains("12 of 16 files", warnings[10]);
    }

    private static (IDataView Data, List<string> Warnings) Load(string folder)
    {
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, log) => warnings.AddRange(log.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning ? [log.Message] : []);
        return (ml.Data.LoadFromImageFolder(folder), warnings);
    }

    private static MLImage First(IDataView data)
    {
        using var cursor = data.GetRowCursor(data.Schema);
        Assert.IsTrue(cursor.MoveNext());
        MLImage image = null!;
        cursor.GetGetter<MLImage>(data.Schema["Image"])(ref image);
        return image;
    }

    /// <summary>A photo whose quarters have four colors, with an orientation; 0 for none.</summary>
    private static byte[] Photo(int orientation)
    {
        using var bitmap = new SKBitmap(32, 16);
        using (var canvas = new SKCanvas(bitmap))
        using (var paint = new SKPaint())
        {
            foreach (var (x, y, color) in new[] { (0, 0, SKColors.Red), (16, 0, SKColors.Lime), (0, 8, SKColors.Blue), (16, 8, SKColors.White) })
            {
                paint.Color = color;
                canvas.DrawRect(x, y, 16, 8, paint);
            }
        }
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Jpeg, 100);
        var bytes = encoded.ToArray();
        if (orientation == 0)
            return bytes;
        byte[] exif = [0xFF, 0xE1, 0, 34, .. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0];
        return [.. bytes[..2], .. exif, .. bytes[2..]];
    }

    private static string Corners(MLImage image)
    {
        return string.Concat(ColorAt(2, 2), ColorAt(image.Width - 3, 2), ColorAt(2, image.Height - 3), ColorAt(image.Width - 3, image.Height - 3));

        char ColorAt(int x, int y)
        {
            var pixel = image.Pixels.Slice(((y * image.Width) + x) * 4, 3); // blue, green, red
            return (pixel[2] > 128, pixel[1] > 128, pixel[0] > 128) switch
            {
                (true, false, false) => 'R',
                (false, true, false) => 'G',
                (false, false, true) => 'B',
                (true, true, true) => 'W',
                _ => '?',
            };
        }
    }
}
