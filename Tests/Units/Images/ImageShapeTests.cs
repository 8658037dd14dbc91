using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Tests.Images;

/// <summary>The size of images, from the column's type and from the option.</summary>
[TestClass]
public sealed class ImageShapeTests
{
    [TestMethod]
    public void Dimensions_Tell()
    {
        Assert.AreEqual(new ImageShape(3, 8, 9), ImageShape.Of(Vector(3, 8, 9), null));
        Assert.AreEqual(new ImageShape(1, 8, 9), ImageShape.Of(Vector(1, 8, 9), null));
        Assert.AreEqual(new ImageShape(4, 8, 9), ImageShape.Of(Vector(4, 8, 9), null));
        Assert.AreEqual(new ImageShape(3, 8, 9) { Layout = PixelLayout.Interleaved }, ImageShape.Of(Vector(8, 9, 3), null));
        Assert.AreEqual(new ImageShape(1, 8, 9), ImageShape.Of(Vector(8, 9), null));
    }

    [TestMethod]
    [DataRow(new[] { 3, 8, 3 }, "3 x 8 x 3 = 72 may be")]
    [DataRow(new[] { 7, 8, 9 }, "7 x 8 x 9 = 504 may be")]
    [DataRow(new[] { 192 }, "their product is 192")]
    [DataRow(new[] { 2, 3, 4, 5 }, "their product is 120")]
    public void DimensionsThatDoNotTell_AreRefused(int[] dimensions, string message)
    {
        var error = Assert.Throws<ArgumentException>(() => ImageShape.Of(Vector(dimensions), null));
        Assert.Contains("'Pixels'", error.Message);
        Assert.Contains("ImageShape", error.Message);
        Assert.Contains(message, error.Message);
    }

    [TestMethod]
    public void Option_TakesPlaceOfTheDimensions()
    {
        var given = new ImageShape(2, 4, 9) { Layout = PixelLayout.Interleaved };
        Assert.AreSame(given, ImageShape.Of(Vector(72), given));
        Assert.AreSame(given, ImageShape.Of(Vector(3, 8, 3), given));
    }

    [TestMethod]
    public void OptionThatDoesNotFit_ShowsTheArithmetic()
    {
        var error = Assert.Throws<ArgumentException>(() => ImageShape.Of(Vector(3, 8, 8), new ImageShape(3, 8, 9)));
        Assert.Contains("ImageShape 3 x 8 x 9 = 216", error.Message);
        Assert.Contains("'Pixels', which has 192 values", error.Message);
        error = Assert.Throws<ArgumentException>(() => ImageShape.Of(Vector(192), new ImageShape(int.MaxValue, int.MaxValue, int.MaxValue)));
        Assert.Contains("does not fit", error.Message);
    }

    /// <summary>The product is right, the factors are not.</summary>
    [TestMethod]
    public void NegativeSizes_AreRefusedInFit()
    {
        var options = ImageSample.Options(new DenseLayer());
        options.ImageShape = new ImageShape(3, -8, -8);
        Assert.Contains("3 x -8 x -8", Assert.Throws<ArgumentException>(() => ImageSample.Fit(options, ImageSample.View(new ImageShape(3, 8, 8), 4))).Message);
    }

    [TestMethod]
    public void ImageColumn_IsInColorUnlessTheOptionSaysGray()
    {
        Assert.AreEqual(new ImageShape(3, 8, 9), ImageShape.Of(Column(new ImageDataViewType(8, 9)), null));
        Assert.AreEqual(new ImageShape(1, 8, 9), ImageShape.Of(Column(new ImageDataViewType(8, 9)), new ImageShape(1, 8, 9)));
        foreach (var wrong in new[] { new ImageShape(2, 8, 9), new ImageShape(3, 9, 8), new ImageShape(3, 8, 9) { Layout = PixelLayout.Interleaved } })
        {
            var error = Assert.Throws<ArgumentException>(() => ImageShape.Of(Column(new ImageDataViewType(8, 9)), wrong));
            Assert.Contains($"ImageShape {wrong}", error.Message);
            Assert.Contains("an image of 8 x 9", error.Message);
        }
        Assert.Contains("ResizeImages", Assert.Throws<ArgumentException>(() => ImageShape.Of(Column(new ImageDataViewType()), null)).Message);
    }

    [TestMethod]
    public void OtherColumns_AreRefused()
    {
        foreach (var type in new DataViewType[] { NumberDataViewType.Single, TextDataViewType.Instance, new VectorDataViewType(NumberDataViewType.Double, 3, 8, 8), new VectorDataViewType(NumberDataViewType.Single) })
            Assert.Contains("'Pixels' has type", Assert.Throws<ArgumentException>(() => ImageShape.Of(Column(type), new ImageShape(3, 8, 8))).Message);
    }

    [TestMethod]
    public void CropSize_MustFitTheImage()
    {
        foreach (var size in new[] { 9, 8 })
        {
            var options = ImageSample.Options(new DenseLayer());
            options.CropSize = size;
            Assert.Contains($"cropSize is {size}", Assert.Throws<ArgumentException>(() => ImageSample.Fit(options, ImageSample.View(new ImageShape(3, 10, 7), 4))).Message);
        }
    }

    private static DataViewSchema.Column Vector(params int[] dimensions) => Column(new VectorDataViewType(NumberDataViewType.Single, dimensions));

    private static DataViewSchema.Column Column(DataViewType type)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Pixels", type);
        return builder.ToSchema()[0];
    }
}
