using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Style;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Loading;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Style;

/// <summary>A network that paints in a style learns it, and paints pictures of any size.</summary>
[TestClass]
public sealed class FastStyleTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(32, 5, 1, 1_679_235)] // pytorch/examples, fast_neural_style
    [DataRow(16, 3, 1, 276_675)]
    [DataRow(32, 5, 3, 1_679_235 + (2 * 2 * (32 + 64 + 128 + (10 * 128) + 64 + 32)))]
    public void Weights_AreAsManyAsInThePaper(int width, int blocks, int styles, int count)
    {
        var architecture = Network(width, blocks, styles);
        architecture.Check();
        Assert.AreEqual(count, architecture.ParameterCount);
        using var scope = NewDisposeScope();
        using var module = architecture.CreateModule();
        Assert.AreEqual(count, module.parameters().Sum(parameter => parameter.NumberOfElements));
        StringAssert.Contains(architecture.Summary(), count.ToString("N0", System.Globalization.CultureInfo.InvariantCulture));
    }

    [TestMethod]
    public void WeightNames_AreStable()
    {
        using var scope = NewDisposeScope();
        using var module = Network(4, 1, 1).CreateModule();
        string[] blocks = ["down.0", "down.1", "down.2", "residual.0.first", "residual.0.second", "up.0", "up.1"];
        CollectionAssert.AreEqual(
            blocks.SelectMany(block => new[] { "convolution.weight", "convolution.bias", "norm.weight", "norm.bias" }.Select(part => $"{block}.{part}")).Concat(["output.weight", "output.bias"]).ToArray(),
            module.state_dict().Keys.ToArray());
    }

    /// <summary>A pixel may depend on all others, but reflection and doubling keep a picture that is the same everywhere the same everywhere.</summary>
    [TestMethod]
    public void PlainPicture_BecomesPlain_WithoutFrame()
    {
        using var sample = new FastStyleSample();
        using var model = _ml.Transforms.FastStyleTransfer(sample.Options()).Fit(FastStyleSample.Contents(_ml));
        using var gray = TestImages.Solid(19, 14, 90, 120, 150);
        var bytes = StyleSample.Bytes(FastStyleSample.Paint(_ml, model, gray));
        for (var i = 0; i < bytes.Length; i++)
            Assert.AreEqual(bytes[i % 4], bytes[i]);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Training_LowersTheLosses()
    {
        using var sample = new FastStyleSample();
        using var model = _ml.Transforms.FastStyleTransfer(sample.Options(o => o.Epochs = 40)).Fit(FastStyleSample.Contents(_ml), FastStyleSample.Contents(_ml, 4, first: 8));
        var history = model.History;
        var (first, last) = (history.BeforeTraining!.Validation, history.Epochs[^1].Validation);
        CollectionAssert.AreEquivalent(new[] { "loss", "contentLoss", "styleLoss", "totalVariation" }, last.Keys.ToArray());
        Assert.AreEqual(last["contentLoss"] + (10 * last["styleLoss"]) + last["totalVariation"], last["loss"], 1e-4 * last["loss"]);
        Floor.Below(.7, last["loss"] / first["loss"], "loss");
        Floor.Below(.6, last["styleLoss"] / first["styleLoss"], "style");
        Floor.Below(.5, history.Epochs[^1].Training["loss"] / history.Epochs[0].Training["loss"], "training");
    }

    [TestMethod]
    public void SavedAndLoaded_SameBits()
    {
        using var sample = new FastStyleSample();
        using var model = _ml.Transforms.FastStyleTransfer(sample.TwoStyles(o => o.StyleColumnName = "Shares")).Fit(FastStyleSample.Contents(_ml));
        using var file = new MemoryStream();
        _ml.Model.Save(model, null, file);
        file.Position = 0;
        using var loaded = (FastStyleTransferTransformer)_ml.Model.Load(file, out _);
        Outcome.AssertSameBits(Outcome.Weights(model.Model), Outcome.Weights(loaded.Model));
        CollectionAssert.AreEqual(new[] { "stripes", "dots" }, loaded.StyleNames.ToArray());
        Assert.AreEqual(("Styled", "Image", "Shares"), (loaded.OutputColumnName, loaded.InputColumnName, loaded.StyleColumnName));
        using var picture = FastStyleSample.Content(9);
        var row = new StyledSample { Image = picture, Shares = [.3f, .7f] };
        Assert.AreEqual(0, StyleSample.Distance(FastStyleSample.Paint(_ml, model, row)[0], FastStyleSample.Paint(_ml, loaded, row)[0]));
    }

    [TestMethod]
    [DataRow(5, 5)]
    [DataRow(7, 64)]
    [DataRow(33, 18)]
    [DataRow(32, 24)]
    public void AnySize_Painted_AloneAsAmongOthers_AndTransparencyStays(int width, int height)
    {
        using var sample = new FastStyleSample();
        using var model = _ml.Transforms.FastStyleTransfer(sample.Options()).Fit(FastStyleSample.Contents(_ml));
        using var opaque = TestImages.Create(width, height, (y, x) => ((byte)(9 * x), (byte)(5 * y), (byte)(x * y)));
        var pixels = opaque.Pixels.ToArray();
        for (var i = 3; i < pixels.Length; i += 8)
            pixels[i] = 100;
        using var picture = MLImage.CreateFromPixels(width, height, MLPixelFormat.Bgra32, pixels);
        using var other = FastStyleSample.Content(2);
        var alone = FastStyleSample.Paint(_ml, model, picture);
        Assert.AreEqual((width, height), (alone.Width, alone.Height));
        var bytes = StyleSample.Bytes(alone);
        for (var i = 3; i < bytes.Length; i += 4)
            Assert.AreEqual(pixels[i], bytes[i]);
        Parallel.For(0, 3, _ =>
        {
            var among = FastStyleSample.Paint(new MLContext(2), model, new StyledSample { Image = other }, new StyledSample { Image = picture })[1];
            Assert.AreEqual(0, StyleSample.Distance(alone, among));
        });
    }

    [TestMethod]
    public void Vectors_ArePaintedLikeImages()
    {
        using var sample = new FastStyleSample();
        var images = FastStyleSample.Contents(_ml);
        // ExtractPixels disposes the images that it has read.
        var data = _ml.Transforms.ExtractPixels("Pixels", "Image").Append(_ml.Transforms.SelectColumns("Pixels")).Fit(images).Transform(FastStyleSample.Contents(_ml));
        data = _ml.Data.Cache(data);
        using var model = _ml.Transforms.FastStyleTransfer(sample.Options(o => o.InputColumnName = "Pixels")).Fit(data);
        using var ofImages = _ml.Transforms.FastStyleTransfer(sample.Options()).Fit(images);
        Outcome.AssertSameBits(Outcome.Weights(ofImages.Model), Outcome.Weights(model.Model));
        var painted = model.Transform(data);
        Assert.AreEqual(data.Schema["Pixels"].Type, painted.Schema["Styled"].Type);
        var values = painted.GetColumn<float[]>("Styled").First();
        var bytes = StyleSample.Bytes(StyleSample.Read(ofImages.Transform(images), "Styled")[0]);
        for (var i = 0; i < values.Length; i++)
            Assert.AreEqual(values[i], bytes[(4 * (i % 768)) + (i / 768)], .5001);
    }

    [TestMethod]
    public void Crops_AndOtherSizes_AreTrainedOn()
    {
        using var sample = new FastStyleSample();
        using var cropped = _ml.Transforms.FastStyleTransfer(sample.Options(o => o.CropSize = 16)).Fit(FastStyleSample.Contents(_ml));
        Assert.AreEqual(new ImageShape(3, 16, 16), cropped.Architecture.Image);
        using var still = _ml.Transforms.FastStyleTransfer(sample.Options(o => (o.CropSize, o.MirrorPictures) = (16, false))).Fit(FastStyleSample.Contents(_ml));
        Assert.IsFalse(Outcome.SameBits(Outcome.Weights(cropped.Model), Outcome.Weights(still.Model)));
        using var picture = FastStyleSample.Content(3);
        Assert.AreEqual(PictureSample.Width, FastStyleSample.Paint(_ml, cropped, picture).Width);
    }

    private static StyleNetworkArchitecture Network(int width, int blocks, int styles) => new()
    {
        InputCount = (3 * 64 * 64) + (styles > 1 ? styles : 0),
        OutputCount = 3 * 64 * 64,
        Image = new ImageShape(3, 64, 64),
        Width = width,
        ResidualBlocks = blocks,
        StyleCount = styles,
    };
}
