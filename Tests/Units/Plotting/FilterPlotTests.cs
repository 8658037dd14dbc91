using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MLExtensions.Tests.Plotting;

[TestClass]
public class FilterPlotTests
{
    private const int Width = 6;
    private const int Height = 4;
    private const int Units = 5;

    // Tiles of 6 x 4 pixels are drawn 10 times as large, with gaps of 2.
    private const int Zoom = 10;
    private const int Gap = 2;

    private static readonly MLContext Context = new(1);
    private static RbmTransformer s_machine = null!;

    private readonly TemporaryFolder _folder = new();

    [ClassInitialize]
    public static void Train(TestContext context)
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 50).Select(_ => new Row { Features = [.. Enumerable.Range(0, Width * Height).Select(_ => (float)random.Next(2))] });
        s_machine = Context.Transforms.Rbm("Hidden", nameof(Row.Features), Units, epochs: 2).Fit(Context.Data.LoadFromEnumerable(rows));
    }

    [ClassCleanup]
    public static void Free() => s_machine.Dispose();

    [TestCleanup]
    public void Clean() => _folder.Dispose();

    [TestMethod]
    public void TilesAreWeightsOnOneScaleWithGrayForZero()
    {
        using var picture = Save(100);
        Assert.AreEqual((3 * ((Width * Zoom) + Gap)) + Gap, picture.Width);
        Assert.AreEqual((2 * ((Height * Zoom) + Gap)) + Gap, picture.Height);
        var weights = s_machine.GetWeights();
        var scale = weights.SelectMany(filter => filter).Max(Math.Abs);
        for (var unit = 0; unit < Units; unit++)
        {
            for (var pixel = 0; pixel < Width * Height; pixel++)
            {
                var color = PixelOf(picture, unit, pixel);
                Assert.AreEqual(127.5 * (1 + (weights[unit][pixel] / scale)), color.Red, 0.51, $"unit {unit}, pixel {pixel}");
                Assert.AreEqual((color.Red, color.Red), (color.Green, color.Blue));
            }
        }
    }

    [TestMethod]
    public void OnlyTheFirstFiltersAreDrawn()
    {
        using var picture = Save(2);
        Assert.AreEqual((2 * ((Width * Zoom) + Gap)) + Gap, picture.Width);
        Assert.AreEqual((Height * Zoom) + (2 * Gap), picture.Height);
    }

    [TestMethod]
    public void SizesThatDoNotFitSayWhatWould()
    {
        var path = _folder.File("bad.png");
        var thrown = Assert.ThrowsExactly<ArgumentException>(() => s_machine.SaveFiltersPng(path, 5, 5));
        StringAssert.Contains(thrown.Message, "imageWidth is 5 and imageHeight is 5, 25 pixels; the lowest RBM has 24 visible units, such as 6 x 4 pixels");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => s_machine.SaveFiltersPng(path, 0, 24)).Message, "imageWidth is 0");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => s_machine.SaveFiltersPng(path, 6, 4, 0)).Message, "maximumFilters is 0");
        Assert.IsFalse(File.Exists(path));
    }

    [TestMethod]
    public void ImagesAreBlackAtZeroAndWhiteAtOneInRowsOfSoMany()
    {
        var path = _folder.File("images.png");
        TilePicture.SavePng(path, [[0f, 1f], [0.5f, 2f], [-1f, float.NaN]], width: 2, height: 1, columns: 3);
        using var picture = SKBitmap.Decode(path);
        byte[] levels = [.. Enumerable.Range(0, 6).Select(i => picture.GetPixel(Gap + (i / 2 * (64 + Gap)) + (i % 2 * 32) + 16, Gap + 16).Red)];
        CollectionAssert.AreEqual(new byte[] { 0, 255, 128, 255, 0, 0 }, levels);
    }

    [TestMethod]
    public void ImagesOfAnotherSizeAndTooManyAreRefused()
    {
        var path = _folder.File("bad.png");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => TilePicture.SavePng(path, [[0f, 1f], [0f]], 2, 1, columns: null)).Message, "Image 1 has 1 values; 2 x 1 pixels need 2");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => TilePicture.SavePng(path, 1000, 28, 28, columns: 1000, (_, _, _) => default)).Message, "at most 16384");
        Assert.IsFalse(File.Exists(path));
    }

    private SKBitmap Save(int maximumFilters)
    {
        var path = _folder.File("filters.png");
        s_machine.SaveFiltersPng(path, Width, Height, maximumFilters);
        return SKBitmap.Decode(path);
    }

    /// <summary>The middle of a drawn pixel.</summary>
    private static SKColor PixelOf(SKBitmap picture, int unit, int pixel) => picture.GetPixel(
        Gap + (unit % 3 * ((Width * Zoom) + Gap)) + (pixel % Width * Zoom) + (Zoom / 2),
        Gap + (unit / 3 * ((Height * Zoom) + Gap)) + (pixel / Width * Zoom) + (Zoom / 2));

    private sealed class Row
    {
        [VectorType(Width * Height)]
        public float[] Features { get; set; } = [];
    }
}
