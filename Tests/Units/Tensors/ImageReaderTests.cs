using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Tests.Images;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Tensors;

[TestClass]
public sealed class ImageReaderTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(MLPixelFormat.Bgra32)]
    [DataRow(MLPixelFormat.Rgba32)]
    public void Colors_ArePlanar(MLPixelFormat format)
    {
        var rows = Read([Picture.Create(7, format), Picture.Create(9, format)], Picture.Values);
        CollectionAssert.AreEqual(Picture.FeaturesOf(7), rows[0]);
        CollectionAssert.AreEqual(Picture.FeaturesOf(9), rows[1]);
    }

    [TestMethod]
    public void OneChannel_IsTheLuma()
    {
        var gray = TestImages.Create(3, 2, (row, column) => ((byte)(250 + row + column), (byte)(250 + row + column), (byte)(250 + row + column)));
        var color = TestImages.Solid(3, 2, 200, 100, 50);
        var rows = Read([gray, color], 6);
        CollectionAssert.AreEqual(new float[] { 250, 251, 252, 251, 252, 253 }, rows[0]);
        CollectionAssert.AreEqual(Enumerable.Repeat(124.2f, 6).ToArray(), rows[1]); // .299 * 200 + .587 * 100 + .114 * 50
    }

    [TestMethod]
    public void EveryGray_StaysExact()
    {
        for (var value = 0; value < 256; value++)
            Assert.AreEqual((float)value, Read([TestImages.Solid(3, 2, (byte)value, (byte)value, (byte)value)], 6)[0][5]);
    }

    [TestMethod]
    public void MissingOrWrongSize_IsRefused()
    {
        var message = Assert.ThrowsExactly<FormatException>(() => Read([Picture.Create(1), null], Picture.Values)).Message;
        Assert.Contains("'Image', row 1", message);
        message = Assert.ThrowsExactly<FormatException>(() => Read([TestImages.Solid(5, 4, 1, 2, 3)], Picture.Values)).Message;
        Assert.Contains("4 x 5", message);
        Assert.Contains("2 x 3", message);
    }

    [TestMethod]
    public void Widths()
    {
        var schema = Picture.View(Ml, 1).Schema;
        Assert.AreEqual(18, FeatureReader.WidthOf(schema["Image"]));
        Assert.IsTrue(FeatureReader.Fits(schema["Image"], 18));
        Assert.IsTrue(FeatureReader.Fits(schema["Image"], 6));
        Assert.IsFalse(FeatureReader.Fits(schema["Image"], 12));
        Assert.IsTrue(FeatureReader.Fits(schema["Number"], 1));
        Assert.IsFalse(FeatureReader.Fits(schema["Number"], 3));
        using var folder = new TemporaryFolder();
        folder.Write("a/1.png", []);
        var anySize = Ml.Data.LoadFromImageFolder(folder.Path).Schema["Image"];
        Assert.Contains("ResizeImages", Assert.Throws<ArgumentException>(() => FeatureReader.WidthOf(anySize)).Message);
    }

    /// <summary>ResizeImages passes an image of the right size through, and disposes what its caller hands back: the image of the user.</summary>
    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void ImagesInMemoryThatResizeImagesPassesThrough_AreNotDisposed(Buffering buffering)
    {
        // Every third image has another size and is really resized.
        var rows = Enumerable.Range(0, 30).Select(i => new Picture { Number = i, Image = Picture.Create(i), Other = i % 3 == 0 ? TestImages.Solid(8, 9, 9, 9, 9) : Picture.Create(i) }).ToList();
        var data = Ml.Data.LoadFromEnumerable(rows);
        var pipeline = Ml.Transforms.ResizeImages("Resized", Picture.Width, Picture.Height, nameof(Picture.Other))
            .Append(Ml.Regression.Trainers.Cnn(new CnnRegressionTrainer.Options
            {
                FeatureColumnName = "Resized",
                LabelColumnName = nameof(Picture.Number),
                Layers = [new DenseLayer()],
                Epochs = 3,
                Buffering = buffering,
            }));
        using var model = pipeline.Fit(data);
        for (var pass = 0; pass < 2; pass++)
            Assert.HasCount(30, model.Transform(data).GetColumn<float>("Score").ToArray());
        foreach (var row in rows)
            Assert.IsGreaterThan(0, row.Other!.Pixels.Length, "disposed images throw");
    }

    /// <summary>Images that a source makes are not handed back to it; the collector must keep up.</summary>
    [TestMethod]
    public void ImagesThatALoaderMakes_DoNotAccumulate()
    {
        var getter = new ImageGetter((ref MLImage image) => image = TestImages.Solid(1024, 1024, 1, 2, 3), () => "");
        var before = Environment.WorkingSet;
        for (var i = 0; i < 200; i++) // of 4 MiB
            getter.Read();
        Assert.IsLessThan(400L << 20, Environment.WorkingSet - before);
    }

    private static float[][] Read(MLImage?[] images, int width)
    {
        var data = Ml.Data.LoadFromEnumerable(images.Select(image => new Picture { Image = image }));
        using var cursor = data.GetRowCursor(data.Schema);
        var reader = new FeatureReader(cursor, data.Schema["Image"], width);
        var rows = new List<float[]>();
        while (cursor.MoveNext())
        {
            rows.Add(new float[width]);
            reader.Read(rows[^1]);
        }
        return [.. rows];
    }
}
