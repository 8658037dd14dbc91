using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Native;

namespace MLExtensions.Tests.Loading;

/// <summary>ML.NET's image transforms were compiled against an older SkiaSharp than the one that is pinned: what pipelines use must run.</summary>
[TestClass]
public sealed class ImageLibraryTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void TheOneMissingMember_IsMended()
    {
        using var image = TestImages.Solid(2, 1, 200, 100, 50);
        Assert.IsTrue(OldImageAnalytics.Mended);
        CollectionAssert.AreEqual(new byte[] { 50, 100, 200, 255, 50, 100, 200, 255 }, image.Pixels.ToArray());
        Assert.AreEqual("Pixels", typeof(MLImage).GetProperty(nameof(MLImage.Pixels))!.Name);
    }

    [TestMethod]
    [DataRow(".png")]
    [DataRow(".jpg")]
    public void SaveAndCreate(string extension)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("image" + extension);
        using (var image = TestImages.Solid(5, 3, 200, 100, 50))
            image.Save(path);
        using var loaded = MLImage.CreateFromFile(path);
        using var stream = new MemoryStream(File.ReadAllBytes(path));
        using var streamed = MLImage.CreateFromStream(stream);
        Assert.AreEqual((5, 3), (loaded.Width, loaded.Height));
        Assert.IsTrue(loaded.Pixels.SequenceEqual(streamed.Pixels));
        var bgr = loaded.GetBGRPixels;
        Assert.AreEqual(50, bgr[0], 3);
        Assert.AreEqual(100, bgr[1], 3);
        Assert.AreEqual(200, bgr[2], 3);
    }

    [TestMethod]
    [DataRow(ImageResizingEstimator.ResizingKind.Fill)]
    [DataRow(ImageResizingEstimator.ResizingKind.IsoCrop)]
    [DataRow(ImageResizingEstimator.ResizingKind.IsoPad)]
    public void ResizeAndExtract(ImageResizingEstimator.ResizingKind kind)
    {
        using var folder = new TemporaryFolder();
        using (var image = TestImages.Solid(8, 8, 200, 100, 50))
            image.Save(folder.File("image.png"));
        var data = Ml.Data.LoadFromEnumerable([new Named { Path = "image.png" }]);
        var pipeline = Ml.Transforms.LoadImages("Image", folder.Path, nameof(Named.Path))
            .Append(Ml.Transforms.ResizeImages("Image", 4, 2, resizing: kind))
            .Append(Ml.Transforms.ExtractPixels("Pixels", "Image"));
        var pixels = pipeline.Fit(data).Transform(data).GetColumn<float[]>("Pixels").Single();
        Assert.HasCount(4 * 2 * 3, pixels);
        Assert.AreEqual(200, pixels[1], 1);
        Assert.AreEqual(50, pixels[17], 1);
    }

    [TestMethod]
    public void Grayscale()
    {
        using var folder = new TemporaryFolder();
        using (var image = TestImages.Solid(4, 4, 200, 100, 50))
            image.Save(folder.File("image.png"));
        var data = Ml.Data.LoadFromEnumerable([new Named { Path = "image.png" }]);
        var pipeline = Ml.Transforms.LoadImages("Image", folder.Path, nameof(Named.Path))
            .Append(Ml.Transforms.ResizeImages("Image", 4, 4))
            .Append(Ml.Transforms.ConvertToGrayscale("Image"))
            .Append(Ml.Transforms.ExtractPixels("Pixels", "Image", ImagePixelExtractingEstimator.ColorBits.Green));
        foreach (var value in pipeline.Fit(data).Transform(data).GetColumn<float[]>("Pixels").Single())
            Assert.AreEqual((0.3f * 200) + (0.59f * 100) + (0.11f * 50), value, 2);
    }

    private sealed class Named
    {
        public string Path { get; set; } = "";
    }
}
