using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Images;

/// <summary>Boxes cut out of images.</summary>
[TestClass]
public sealed class CropByBoxTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Crop_HasThePixelsOfTheBox()
    {
        foreach (var format in new[] { MLPixelFormat.Bgra32, MLPixelFormat.Rgba32 })
        {
            var rows = new[] { Sample(format, 2, 1, 3, 2), Sample(format, 0, 0, 8, 6), Sample(format, -2, 4, 4, 9), Sample(format, 6.6f, .4f, 1, 1) };
            CollectionAssert.AreEqual(new[] { (3, 2, 2, 1), (8, 6, 0, 0), (2, 2, 0, 4), (1, 1, 7, 0) }, Crop(new(), rows).Select(Place).ToArray());
            // Half the width and height on each side, cut off at the border; the same in fractions.
            CollectionAssert.AreEqual(new[] { (6, 4, 1, 0) }, Crop(new() { Margin = .5 }, rows[..1]).Select(Place).ToArray());
            CollectionAssert.AreEqual(new[] { (4, 3, 4, 3) }, Crop(new() { Unit = BoxUnit.Fractions }, Sample(format, .5f, .5f, .5f, .5f)).Select(Place).ToArray());
        }
    }

    [TestMethod]
    public void Fill_KeepsTheShapeOfTheBox()
    {
        using var crop = Crop(new() { Border = BoxBorder.Fill }, Sample(MLPixelFormat.Bgra32, -2, 4, 4, 4)).Single();
        Assert.AreEqual((4, 4), (crop.Width, crop.Height));
        for (var y = 0; y < 4; y++)
        {
            for (var x = 0; x < 4; x++)
                Assert.AreEqual(x < 2 || y >= 2 ? ((byte)0, (byte)0, (byte)255) : ((byte)(10 * (x - 2)), (byte)(20 * (y + 4)), (byte)255), Pixel(crop, x, y));
        }
    }

    [TestMethod]
    public void OutputSize_ResizesAndIsTheColumnsType()
    {
        var data = View(Sample(MLPixelFormat.Rgba32, 0, 0, 8, 6), Sample(MLPixelFormat.Rgba32, 1, 1, 2, 3));
        var estimator = Ml.Transforms.CropByBox("Crop", "Image", "Box", outputHeight: 3, outputWidth: 4);
        var found = estimator.Fit(data).Transform(data);
        Assert.AreEqual((3, 4), (((ImageDataViewType)found.Schema["Crop"].Type).Height, ((ImageDataViewType)found.Schema["Crop"].Type).Width));
        var crops = Read(found);
        Assert.IsTrue(crops.All(crop => (crop.Width, crop.Height) == (4, 3)));
        // Means of two by two pixels.
        Assert.AreEqual((byte)25, Pixel(crops[0], 1, 1).Red, 1);
        Assert.AreEqual((byte)50, Pixel(crops[0], 1, 1).Green, 1);
        Assert.IsTrue(estimator.GetOutputSchema(SchemaShape.Create(data.Schema)).TryFindColumn("Crop", out _));
    }

    [TestMethod]
    public void SavedModelEngineAndThreads_SameCrops()
    {
        var rows = Enumerable.Range(0, 40).Select(i => Sample(MLPixelFormat.Bgra32, i % 6, i % 4, 1 + (i % 3), 2)).ToArray();
        var model = Ml.Transforms.CropByBox(new CropByBoxEstimator.Options { Margin = .25, Border = BoxBorder.Fill, OutputHeight = 5, OutputWidth = 5 }).Fit(View(rows));
        var expected = Read(model);
        using var file = new MemoryStream();
        Ml.Model.Save(model, View(rows).Schema, file);
        var loaded = Ml.Model.Load(file, out _);
        CollectionAssert.AreEqual(expected, Read(loaded));
        var results = new string[4][];
        Parallel.For(0, results.Length, i => results[i] = Read(loaded));
        foreach (var result in results)
            CollectionAssert.AreEqual(expected, result);
        using var engine = Ml.Model.CreatePredictionEngine<Row, Cropped>(loaded);
        CollectionAssert.AreEqual(expected, rows.Select(row => Text(engine.Predict(row).Crop)).ToArray());

        string[] Read(ITransformer transformer) => transformer.Transform(View(rows)).GetColumn<MLImage>("Crop").Select(Text).ToArray();

        static string Text(MLImage? image) => Convert.ToHexString(image!.Pixels);
    }

    [TestMethod]
    public void BadBoxes_AreRefusedByColumnAndRow()
    {
        Refuse(Sample(MLPixelFormat.Bgra32, 0, 0, 0, 3), "'Box'", "row 1", "no area");
        Refuse(Sample(MLPixelFormat.Bgra32, 0, 0, 3, -1), "'Box'", "row 1", "no area");
        Refuse(Sample(MLPixelFormat.Bgra32, float.NaN, 0, 3, 1), "'Box'", "row 1", "not finite");
        Refuse(Sample(MLPixelFormat.Bgra32, 8, 0, 3, 1), "'Box'", "row 1", "outside", "8 x 6");
        Refuse(Sample(MLPixelFormat.Bgra32, 1, 1, .2f, .2f), "'Box'", "row 1", "half a pixel");
        Refuse(new Row { Image = null, Box = [0, 0, 1, 1] }, "'Image'", "row 1", "missing");
        var error = Assert.Throws<FormatException>(() => Crop(new() { Border = BoxBorder.Fill }, Sample(MLPixelFormat.Bgra32, 0, 0, 1e9f, 2)));
        StringAssert.Contains(error.Message, "10 times");
        Assert.Throws<ArgumentException>(() => Ml.Transforms.CropByBox("A", "Image", "Missing").Fit(View(Sample(MLPixelFormat.Bgra32, 0, 0, 1, 1))));
        Assert.Throws<ArgumentException>(() => Ml.Transforms.CropByBox("A", "Box", "Image").Fit(View(Sample(MLPixelFormat.Bgra32, 0, 0, 1, 1))));
        foreach (var options in new CropByBoxEstimator.Options[] { new() { Margin = -1 }, new() { Margin = double.NaN }, new() { OutputHeight = 0, OutputWidth = 2 }, new() { OutputHeight = 3 }, new() { BoxColumnName = "Image" }, new() { Unit = (BoxUnit)5 }, new() { Border = (BoxBorder)5 } })
            Assert.Throws<ArgumentException>(() => Ml.Transforms.CropByBox(options));

        static void Refuse(Row row, params string[] words)
        {
            var error = Assert.Throws<FormatException>(() => Crop(new(), Sample(MLPixelFormat.Bgra32, 0, 0, 1, 1), row));
            foreach (var word in words)
                StringAssert.Contains(error.Message, word);
        }
    }

    private static MLImage[] Crop(CropByBoxEstimator.Options options, params Row[] rows) =>
        Read(Ml.Transforms.CropByBox(options).Fit(View(rows)).Transform(View(rows)));

    /// <summary>Each image is one of its own: a getter disposes the one that it is given back.</summary>
    private static MLImage[] Read(IDataView data)
    {
        using var cursor = data.GetRowCursor([data.Schema["Crop"]]);
        var getter = cursor.GetGetter<MLImage>(data.Schema["Crop"]);
        var images = new List<MLImage>();
        while (cursor.MoveNext())
        {
            MLImage image = null!;
            getter(ref image);
            images.Add(image);
        }
        return [.. images];
    }

    /// <summary>The size of a crop and the place of its first pixel; each pixel must be the one beside it.</summary>
    private static (int Width, int Height, int Left, int Top) Place(MLImage crop)
    {
        var first = Pixel(crop, 0, 0);
        for (var y = 0; y < crop.Height; y++)
        {
            for (var x = 0; x < crop.Width; x++)
                Assert.AreEqual(((byte)(first.Red + (10 * x)), (byte)(first.Green + (20 * y)), (byte)255), Pixel(crop, x, y));
        }
        return (crop.Width, crop.Height, first.Red / 10, first.Green / 20);
    }

    private static (byte Red, byte Green, byte Alpha) Pixel(MLImage image, int x, int y)
    {
        var pixel = image.Pixels.Slice(((y * image.Width) + x) * 4, 4);
        return (pixel[image.PixelFormat == MLPixelFormat.Bgra32 ? 2 : 0], pixel[1], pixel[3]);
    }

    private static Row Sample(MLPixelFormat format, params float[] box) =>
        new() { Image = TestImages.Create(8, 6, (y, x) => ((byte)(10 * x), (byte)(20 * y), 7), format), Box = box };

    private static IDataView View(params Row[] rows) => Ml.Data.LoadFromEnumerable(rows);

    private sealed class Row
    {
        [ImageType(6, 8)]
        public MLImage? Image { get; set; }

        [VectorType(4)]
        public float[] Box { get; set; } = [];
    }

    private sealed class Cropped
    {
        [ImageType(5, 5)]
        public MLImage? Crop { get; set; }
    }
}
