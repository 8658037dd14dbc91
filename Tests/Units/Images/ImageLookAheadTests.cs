using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Images;

/// <summary>Columns of images are read ahead, as copies.</summary>
[TestClass]
public sealed class ImageLookAheadTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(1)]
    [DataRow(33)]
    [DataRow(1200)]
    public void ImagesAreTheSame(int count)
    {
        var source = Picture.View(Ml, count);
        var ahead = new LookAheadDataView(source, nameof(Picture.Image));
        CollectionAssert.AreEqual(Read(source), Read(ahead));
    }

    [TestMethod]
    public void ImagesOfASourceThatReusesThem_AreKept()
    {
        using var folder = new TemporaryFolder();
        for (var i = 0; i < 40; i++)
        {
            using var image = TestImages.Solid(4, 3, (byte)i, 5, 6);
            image.Save(folder.File("a", $"{i:00}.png"));
        }
        var source = Ml.Data.LoadFromImageFolder(folder.Path, imageHeight: 2, imageWidth: 3);
        var ahead = new LookAheadDataView(source, "Image");
        using var cursor = ahead.GetRowCursor(ahead.Schema);
        Assert.IsInstanceOfType<LookAheadCursor>(cursor);
        var getImage = cursor.GetGetter<MLImage>(ahead.Schema["Image"]);
        MLImage image2 = null!;
        for (var i = 0; cursor.MoveNext(); i++)
        {
            getImage(ref image2);
            Assert.AreEqual((3, 2, i, 5), (image2.Width, image2.Height, image2.Pixels[2], image2.Pixels[1]));
        }
    }

    [TestMethod]
    public void HandedOutImages_AreTheCallersOwn()
    {
        var ahead = new LookAheadDataView(Picture.View(Ml, 3), nameof(Picture.Image));
        using var cursor = ahead.GetRowCursor(ahead.Schema);
        var getImage = cursor.GetGetter<MLImage>(ahead.Schema[nameof(Picture.Image)]);
        cursor.MoveNext();
        MLImage first = null!;
        getImage(ref first);
        first.Dispose();
        MLImage second = null!;
        getImage(ref second);
        Assert.AreEqual(100, second.Pixels[0]);
    }

    [TestMethod]
    public void LargeImagesBeside_EndABlockEarly()
    {
        var made = 0;
        var rows = Enumerable.Range(0, 20).Select(i =>
        {
            made++;
            return new Picture { Number = i, Image = Picture.Create(i), Other = TestImages.Solid(2048, 2048, (byte)i, 0, 0) };
        });
        var ahead = new LookAheadDataView(Ml.Data.LoadFromEnumerable(rows), nameof(Picture.Image));
        using var cursor = ahead.GetRowCursor(ahead.Schema);
        Assert.IsTrue(cursor.MoveNext());
        Assert.AreEqual(4, made); // of 16 MiB
        while (cursor.MoveNext())
            Assert.IsLessThan(20, cursor.Position);
        Assert.AreEqual(20, made);
    }

    private static string[] Read(IDataView view)
    {
        using var cursor = view.GetRowCursor(view.Schema);
        var getImage = cursor.GetGetter<MLImage>(view.Schema[nameof(Picture.Image)]);
        var getOther = cursor.GetGetter<MLImage>(view.Schema[nameof(Picture.Other)]);
        var getNumber = cursor.GetGetter<float>(view.Schema[nameof(Picture.Number)]);
        var (image, other, number) = (default(MLImage)!, default(MLImage)!, 0f);
        var rows = new List<string>();
        while (cursor.MoveNext())
        {
            getImage(ref image);
            getOther(ref other);
            getNumber(ref number);
            rows.Add($"{number} {Text(image)} {Text(other)}");
        }
        return [.. rows];
    }

    private static string Text(MLImage image) => $"{image.Width} {image.Height} {image.PixelFormat} {Convert.ToHexString(image.Pixels)}";
}
