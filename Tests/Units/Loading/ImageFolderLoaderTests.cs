using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Tests.Loading;

[TestClass]
public sealed class ImageFolderLoaderTests
{
    [TestMethod]
    public void Order_LabelsAndPaths()
    {
        using var folder = Sample();
        var data = new MLContext(1).Data.LoadFromImageFolder(folder.Path, onBadImage: BadImageHandling.Throw);
        Assert.AreEqual(4L, data.GetRowCount());
        VBuffer<ReadOnlyMemory<char>> names = default;
        data.Schema["Label"].GetKeyValues(ref names);
        CollectionAssert.AreEqual(new[] { "Zebra", "ape", "cat" }, names.DenseValues().Select(name => name.ToString()).ToArray());
        CollectionAssert.AreEqual(
            new[] { folder.File("Zebra", "a.JPG"), folder.File("ape", "1.png"), folder.File("ape", "10.png"), folder.File("ape", "2.bmp") },
            data.GetColumn<string>("ImagePath").ToArray());
        CollectionAssert.AreEqual(new uint[] { 1, 2, 2, 2 }, data.GetColumn<uint>("Label").ToArray());
    }

    [TestMethod]
    public void ResizedAndExtracted()
    {
        using var folder = Sample();
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromImageFolder(folder.Path, imageHeight: 2, imageWidth: 4);
        var type = (ImageDataViewType)data.Schema["Image"].Type;
        Assert.AreEqual((2, 4), (type.Height, type.Width));
        var own = ml.Data.LoadFromImageFolder(folder.Path);
        var pipeline = ml.Transforms.ResizeImages("Image", 4, 2).Append(ml.Transforms.ExtractPixels("Pixels", "Image"));
        var expected = pipeline.Fit(own).Transform(own).GetColumn<float[]>("Pixels").ToArray();
        var pixels = ml.Transforms.ExtractPixels("Pixels", "Image").Fit(data).Transform(data).GetColumn<float[]>("Pixels").ToArray();
        for (var i = 0; i < pixels.Length; i++)
            CollectionAssert.AreEqual(expected[i], pixels[i]);
        CollectionAssert.AreEqual(Enumerable.Repeat(new[] { 10f, 20, 30 }, 8).SelectMany(rgb => rgb).Order().ToArray(), pixels[1].Order().ToArray());
    }

    [TestMethod]
    public void ImagesAreDecodedOnlyWhenAskedFor()
    {
        using var folder = Sample();
        folder.Write("ape/3.png", [1, 2, 3]);
        var data = new MLContext(1).Data.LoadFromImageFolder(folder.Path, onBadImage: BadImageHandling.Throw);
        Assert.HasCount(5, data.GetColumn<uint>("Label").ToArray());
        using var cursor = data.GetRowCursor(data.Schema);
        while (cursor.MoveNext())
            Assert.IsGreaterThanOrEqualTo(0, cursor.Position);
    }

    [TestMethod]
    public void BadImages_AreRefusedByName()
    {
        using var folder = Sample();
        var good = File.ReadAllBytes(folder.File("ape", "10.png"));
        foreach (var (content, expected) in new[] { (new byte[] { 1, 2, 3 }, "not a valid image"), (good[..^30], "truncated"), (Array.Empty<byte>(), "empty") })
        {
            var bad = folder.Write("cat/bad.png", content);
            var data = new MLContext(1).Data.LoadFromImageFolder(folder.Path, onBadImage: BadImageHandling.Throw);
            Assert.AreEqual(5L, data.GetRowCount());
            var message = Assert.ThrowsExactly<FormatException>(() => Sizes(data)).Message;
            Assert.Contains(bad, message);
            Assert.Contains(expected, message);
        }
    }

    [TestMethod]
    public void BadImages_AreSkippedWithAWarning()
    {
        using var folder = Sample();
        var bad = folder.Write("ape/3.png", [1, 2, 3]);
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.Message);
        };
        var data = ml.Data.LoadFromImageFolder(folder.Path);
        warnings.Clear(); // about notes.txt
        Assert.IsNull(data.GetRowCount());
        CollectionAssert.AreEqual(new[] { "8x6", "6x4", "6x4", "6x4" }, Sizes(data));
        Assert.HasCount(4, data.GetColumn<uint>("Label").ToArray());
        Assert.HasCount(4, Sizes(data, new Random(1)));
        Assert.AreEqual(4L, data.GetRowCount());
        Assert.Contains(bad, warnings[0]);
        Assert.Contains("1 of 5 files", warnings[1]);
        Assert.HasCount(2, warnings);

        var labelsFirst = ml.Data.LoadFromImageFolder(folder.Path, onBadImage: BadImageHandling.Skip);
        Assert.HasCount(4, labelsFirst.GetColumn<uint>("Label").ToArray());
    }

    [TestMethod]
    public void Shuffled_RowsKeepTheirLabels()
    {
        using var folder = Sample();
        var data = new MLContext(1).Data.LoadFromImageFolder(folder.Path);
        var orders = Enumerable.Range(0, 10).Select(seed => string.Join(' ', Sizes(data, new Random(seed)))).Distinct().ToArray();
        Assert.IsGreaterThan(1, orders.Length);
        foreach (var order in orders)
            CollectionAssert.AreEquivalent(new[] { "8x6", "6x4", "6x4", "6x4" }, order.Split(' '));
    }

    [TestMethod]
    [DataRow(BadImageHandling.Throw)]
    [DataRow(BadImageHandling.Skip)]
    public void SeveralCursors_HaveTheSameRowsInTheSameOrder(BadImageHandling onBadImage)
    {
        using var folder = new TemporaryFolder();
        for (var i = 0; i < 100; i++)
        {
            using var image = TestImages.Solid(3, 3, (byte)i, 5, 6);
            image.Save(folder.File("a", $"{i:000}.png"));
        }
        if (onBadImage == BadImageHandling.Skip)
            folder.Write("a/050b.png", [1]);
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromImageFolder(folder.Path, 2, 2, onBadImage);
        var cursors = data.GetRowCursorSet(data.Schema, 3);
        Assert.HasCount(3, cursors);
        var ids = cursors.Select(cursor => Ids(cursor)).ToArray();
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 101).Where(id => onBadImage == BadImageHandling.Skip ? id != 51 : id < 100).Select(id => (ulong)id).ToArray(), ids.SelectMany(own => own).ToArray());
        Assert.IsTrue(ids.All(own => own.Length > 30));

        var pixels = ml.Transforms.ExtractPixels("Pixels", "Image", ImagePixelExtractingEstimator.ColorBits.Red).Fit(data).Transform(data);
        CollectionAssert.AreEqual(Enumerable.Range(0, 100).Select(i => (float)i).ToArray(), pixels.GetColumn<float[]>("Pixels").Select(row => row[0]).ToArray());
    }

    private static ulong[] Ids(DataViewRowCursor cursor)
    {
        using (cursor)
        {
            var getId = cursor.GetIdGetter();
            DataViewRowId id = default;
            var ids = new List<ulong>();
            for (var last = -1L; cursor.MoveNext(); last = cursor.Batch)
            {
                Assert.IsGreaterThanOrEqualTo(last, cursor.Batch);
                getId(ref id);
                ids.Add(id.Low);
            }
            return [.. ids];
        }
    }

    [TestMethod]
    public void WrongFolders_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        Assert.Throws<DirectoryNotFoundException>(() => ml.Data.LoadFromImageFolder(folder.File("nowhere")));
        folder.Write("1.png", [1]);
        Assert.Contains("one folder of images per class", Assert.Throws<ArgumentException>(() => ml.Data.LoadFromImageFolder(folder.Path)).Message);
        folder.Write("cat/readme.txt", [1]);
        Assert.Contains(".png", Assert.Throws<ArgumentException>(() => ml.Data.LoadFromImageFolder(folder.Path)).Message);
        Assert.Contains("imageWidth", Assert.Throws<ArgumentException>(() => ml.Data.LoadFromImageFolder(folder.Path, imageHeight: 3)).Message);
        Assert.Throws<ArgumentException>(() => ml.Data.LoadFromImageFolder(folder.Path, imageHeight: 0, imageWidth: 3));
    }

    private static TemporaryFolder Sample()
    {
        var folder = new TemporaryFolder();
        Save(folder.File("Zebra", "a.JPG"), 8, 6);
        foreach (var name in new[] { "10.png", "1.png" })
            Save(folder.File("ape", name), 6, 4);
        File.Copy(folder.File("ape", "1.png"), folder.File("ape", "2.bmp"));
        folder.Write("ape/notes.txt", [1]);
        folder.File("cat", "x");
        folder.File(".hidden", "x");
        return folder;
    }

    private static void Save(string path, int width, int height)
    {
        using var image = TestImages.Solid(width, height, 10, 20, 30);
        image.Save(path);
    }

    private static string[] Sizes(IDataView data, Random? random = null)
    {
        using var cursor = data.GetRowCursor(data.Schema, random);
        var getImage = cursor.GetGetter<MLImage>(data.Schema["Image"]);
        var getPath = cursor.GetGetter<ReadOnlyMemory<char>>(data.Schema["ImagePath"]);
        MLImage? image = null;
        ReadOnlyMemory<char> path = default;
        var sizes = new List<string>();
        while (cursor.MoveNext())
        {
            getImage(ref image!);
            getPath(ref path);
            Assert.AreEqual(path.ToString(), image.Tag);
            sizes.Add($"{image.Width}x{image.Height}");
        }
        image?.Dispose();
        return [.. sizes];
    }
}
