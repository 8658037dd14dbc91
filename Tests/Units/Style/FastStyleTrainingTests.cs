using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Loading;
using MLExtensions.Tests.TensorBoard;
using SkiaSharp;

namespace MLExtensions.Tests.Style;

/// <summary>What a training of a network that paints depends on, what it leaves, and what it refuses.</summary>
[TestClass]
public sealed class FastStyleTrainingTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void Resumed_SameBits_AndNotWithAnotherStyleOrNetwork(Buffering buffering)
    {
        using var sample = new FastStyleSample();
        using var folder = new TemporaryFolder();
        FastStyleTransferTransformer Train(Action<FastStyleTransferEstimator.Options>? change = null) => _ml.Transforms.FastStyleTransfer(sample.TwoStyles(o =>
        {
            (o.Epochs, o.CropSize, o.EmaDecay, o.Buffering) = (3, 16, .9, buffering);
            change?.Invoke(o);
        })).Fit(FastStyleSample.Contents(_ml, 7));
        using var whole = Train();
        using var stop = new CancellationTokenSource();
        Assert.ThrowsExactly<OperationCanceledException>(() => Train(o =>
        {
            (o.CheckpointFolder, o.CancellationToken) = (folder.Path, stop.Token);
            o.Progress = new Listener(progress =>
            {
                if (progress.Completed is { Epoch: 2 })
                    stop.Cancel();
            });
        }));
        void Resume(FastStyleTransferEstimator.Options o) => (o.CheckpointFolder, o.ResumeFromCheckpoint) = (folder.Path, true);
        void Refused(string text, Action<FastStyleTransferEstimator.Options> change)
        {
            var e = Assert.ThrowsExactly<InvalidOperationException>(() => Train(o =>
            {
                Resume(o);
                change(o);
            }));
            StringAssert.Contains(e.Message, text);
        }
        Refused("style pictures", o => o.StyleImages = [FastStyleSample.Dots(), StyleSample.Stripes()]);
        Refused("style pictures", o => o.StyleScale = .5);
        using var other = new StyleSample(seed: 6);
        Refused("loss network", o => o.WeightsPath = other.WeightsPath);
        Refused("StyleWeight", o => o.StyleWeight = 3);
        using var resumed = Train(Resume);
        Outcome.AssertSameBits(Outcome.Weights(whole.Model), Outcome.Weights(resumed.Model));
    }

    [TestMethod]
    public void TensorBoard_HasThePictures_OfThreeColumns()
    {
        using var sample = new FastStyleSample();
        using var folder = new TemporaryFolder();
        using var plain = _ml.Transforms.FastStyleTransfer(sample.TwoStyles()).Fit(FastStyleSample.Contents(_ml));
        using var model = _ml.Transforms.FastStyleTransfer(sample.TwoStyles(o => o.TensorBoardFolder = folder.Path)).Fit(FastStyleSample.Contents(_ml));
        Outcome.AssertSameBits(Outcome.Weights(plain.Model), Outcome.Weights(model.Model));
        var pictures = EventFile.Read(Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Single()).Where(value => value.Tag.Contains("styled", StringComparison.Ordinal)).ToArray();
        Assert.HasCount(2, pictures);
        // Four pictures and each in two styles, twice as large as they are, 2 pixels apart.
        var picture = pictures[0][4].Message;
        Assert.AreEqual(((4 * (24 * 2)) + (5 * 2), (3 * (32 * 2)) + (4 * 2)), ((int)picture.Get(1).Bits, (int)picture.Get(2).Bits));
    }

    [TestMethod]
    public void TrainedModel_IsAStart_AndWithoutEpochsItself()
    {
        using var sample = new FastStyleSample();
        using var model = _ml.Transforms.FastStyleTransfer(sample.Options()).Fit(FastStyleSample.Contents(_ml));
        using var same = _ml.Transforms.FastStyleTransfer(sample.Options(o => (o.InitialModel, o.Epochs, o.CropSize) = (model, 0, 16))).Fit(FastStyleSample.Contents(_ml));
        Outcome.AssertSameBits(Outcome.Weights(model.Model), Outcome.Weights(same.Model));
        var e = Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.FastStyleTransfer(sample.TwoStyles(o => o.InitialModel = model)).Fit(FastStyleSample.Contents(_ml)));
        StringAssert.Contains(e.Message, "down.0.norm.weight");
    }

    [TestMethod]
    public void LoadedPictures_OfAnySize_ArePainted()
    {
        using var sample = new FastStyleSample();
        using var folder = new TemporaryFolder();
        for (var i = 0; i < 4; i++)
            TestImages.Create(20 + (7 * i), 30 - (3 * i), (y, x) => ((byte)(9 * x), (byte)(8 * y), (byte)(50 * i))).Save(folder.File($"{i}.png"));
        var files = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 4).Select(i => new { File = $"{i}.png" }));
        var load = _ml.Transforms.LoadImages("Image", folder.Path, "File").Fit(files);
        var unsized = Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.FastStyleTransfer(sample.Options()).Fit(load.Transform(files)));
        StringAssert.Contains(unsized.Message, "Add ResizeImages");
        var resized = _ml.Transforms.ResizeImages("Image", 16, 16).Fit(load.Transform(files)).Transform(load.Transform(files));
        using var model = _ml.Transforms.FastStyleTransfer(sample.Options()).Fit(resized);
        var sizes = StyleSample.Read(model.Transform(load.Transform(files)), "Styled").Select(picture => (picture.Width, picture.Height)).ToArray();
        CollectionAssert.AreEqual(new[] { (20, 30), (27, 27), (34, 24), (41, 21) }, sizes);
    }

    [TestMethod]
    public void TransparentContent_IsLearnedAsItIsSeen()
    {
        using var sample = new FastStyleSample();
        MLImage With(byte alpha, byte value) => MLImage.CreateFromPixels(PictureSample.Width, PictureSample.Height, MLPixelFormat.Bgra32,
            Enumerable.Range(0, PictureSample.Width * PictureSample.Height).SelectMany(i => i % 5 == 0 ? new byte[] { value, value, value, alpha } : [(byte)i, 100, 50, 255]).ToArray());
        float[] Trained(MLImage picture)
        {
            using var model = _ml.Transforms.FastStyleTransfer(sample.Options()).Fit(StyleSample.View(_ml, picture, FastStyleSample.Content(1)));
            return Outcome.Weights(model.Model);
        }
        Outcome.AssertSameBits(Trained(With(255, 255)), Trained(With(0, 7)));
        Assert.IsFalse(Outcome.SameBits(Trained(With(255, 255)), Trained(With(255, 7))));
    }

    /// <summary>Whatever the file has, a picture in memory has three channels.</summary>
    [TestMethod]
    public void GrayFile_IsPaintedLikeTheSameInColor()
    {
        using var sample = new FastStyleSample();
        using var folder = new TemporaryFolder();
        using var gray = new SKBitmap(new SKImageInfo(20, 16, SKColorType.Gray8, SKAlphaType.Opaque));
        for (var y = 0; y < 16; y++)
        {
            for (var x = 0; x < 20; x++)
                gray.SetPixel(x, y, new SKColor((byte)(12 * x), (byte)(12 * x), (byte)(12 * x)));
        }
        using (var png = gray.Encode(SKEncodedImageFormat.Png, 100))
            folder.Write("gray.png", png.ToArray());
        using var color = TestImages.Create(20, 16, (_, x) => ((byte)(12 * x), (byte)(12 * x), (byte)(12 * x)));
        using var model = _ml.Transforms.FastStyleTransfer(sample.Options()).Fit(FastStyleSample.Contents(_ml));
        var file = _ml.Data.LoadFromEnumerable([new { File = "gray.png" }]);
        var painted = StyleSample.Read(model.Transform(_ml.Transforms.LoadImages("Image", folder.Path, "File").Fit(file).Transform(file)), "Styled")[0];
        Assert.AreEqual(0, StyleSample.Distance(FastStyleSample.Paint(_ml, model, color), painted));
    }

    [TestMethod]
    public void BadOptions_RefusedByName()
    {
        using var sample = new FastStyleSample();
        void Refused(string text, Action<FastStyleTransferEstimator.Options> change)
        {
            var e = Assert.Throws<Exception>(() => _ml.Transforms.FastStyleTransfer(sample.Options(change)));
            Assert.IsTrue(e is ArgumentException or FileNotFoundException, e.GetType().Name);
            StringAssert.Contains(e.Message, text);
        }
        Refused("StylePaths and StyleImages are empty", o => o.StyleImages = []);
        Refused("StyleNames has 2 names; there are 1 style pictures", o => o.StyleNames = ["a", "b"]);
        Refused("StyleNames has an empty name", o => o.StyleNames = [" "]);
        Refused("Two styles have the name 'x'", o => (o.StyleImages, o.StyleNames) = ([FastStyleSample.Dots(), FastStyleSample.Dots()], ["x", "x"]));
        Refused("StyleColumnName is empty", o => o.StyleColumnName = " ");
        Refused("Width is 0", o => o.Width = 0);
        Refused("Width is 20000", o => o.Width = 20_000);
        Refused("ResidualBlocks is -1", o => o.ResidualBlocks = -1);
        Refused("CropSize is 4", o => o.CropSize = 4);
        Refused("BorderPadding is -1", o => o.BorderPadding = -1);
        Refused("StyleLayers contains 'relu2_3', but the network has no such layer with an image as its output. Did you mean 'relu2_1'?", o => o.StyleLayers = ["relu2_3"]);
        Refused("StyleLayerWeights is [1]", o => o.StyleLayerWeights = [1]);
        Refused("It must be a safetensors file", o => o.WeightsPath = "nowhere.safetensors");
        Refused("ImageShape is 3 x 0 x 4", o => o.ImageShape = new ImageShape(3, 0, 4));
        Refused("OutputColumnName is empty", o => o.OutputColumnName = "");
    }

    [TestMethod]
    public void BadPictures_RefusedByName_BeforeTraining()
    {
        using var sample = new FastStyleSample();
        void Refused<T>(string text, Func<IDataView> data, Action<FastStyleTransferEstimator.Options>? change = null)
            where T : Exception => StringAssert.Contains(Assert.ThrowsExactly<T>(() => _ml.Transforms.FastStyleTransfer(sample.Options(change)).Fit(data())).Message, text);
        Refused<ArgumentException>("Column 'Image' has type String; it must be an image (MLImage)", () => _ml.Data.LoadFromEnumerable([new { Image = "a" }]));
        Refused<ArgumentException>("Column 'Image' is not in the data", () => _ml.Data.LoadFromEnumerable([new { Picture = "a" }]));
        Refused<FormatException>("row 1 (the first row is 0): the image is missing", () => StyleSample.View(_ml, FastStyleSample.Content(1), null));
        Refused<FormatException>("has 28 x 40 pixels (height x width); it must have 24 x 32", () => StyleSample.View(_ml, StyleSample.Stripes()));
        Refused<ArgumentException>("CropSize is 25, but the pictures of column 'Image' have 24 x 32 pixels", () => FastStyleSample.Contents(_ml), o => o.CropSize = 25);
        Refused<ArgumentException>("24 x 32 pixels (height x width): each side must be longer than BorderPadding, 24", () => FastStyleSample.Contents(_ml), o => (o.BorderPadding, o.StyleScale) = (24, 2));
        Refused<ArgumentException>("Column 'Image' has pictures of 1 x 5 x 6", () => Vectors(30), o => o.ImageShape = new ImageShape(1, 5, 6));
        Refused<ArgumentException>("set ImageShape", () => Vectors(75));
        Refused<FormatException>("Column 'Image', row 1 (the first row is 0), slot 2: the value is 256; pictures must be in", () => Vectors(75, (1, 2, 256f)), o => o.ImageShape = new ImageShape(3, 5, 5));
        Refused<ArgumentException>("at least 5 pixels", () => Vectors(60), o => o.ImageShape = new ImageShape(3, 4, 5));
    }

    [TestMethod]
    public void BadPictures_RefusedByRow_WhenPainted()
    {
        using var sample = new FastStyleSample();
        using var model = _ml.Transforms.FastStyleTransfer(sample.Options()).Fit(FastStyleSample.Contents(_ml));
        void Refused<T>(string text, MLImage? picture)
            where T : Exception => StringAssert.Contains(Assert.ThrowsExactly<T>(() => FastStyleSample.Paint(_ml, model, new StyledSample { Image = FastStyleSample.Content(1) }, new StyledSample { Image = picture })).Message, text);
        Refused<FormatException>("Image column 'Image', row 1 (the first row is 0): the picture has 30 x 4 pixels (height x width); each side must have at least 5", TestImages.Solid(4, 30, 1, 2, 3));
        Refused<FormatException>("Image column 'Image', row 1 (the first row is 0): the image is missing", null);
        MachineMemory.Assumed = 20_000_000;
        try
        {
            Refused<InsufficientMemoryException>("row 1 (the first row is 0): a picture of 330 x 310 pixels (height x width) needs about 30 MB; this process can have 20 MB", TestImages.Solid(310, 330, 1, 2, 3));
        }
        finally
        {
            MachineMemory.Assumed = null;
        }
    }

    [TestMethod]
    public void BatchThatCannotFit_RefusedByOption()
    {
        using var sample = new FastStyleSample();
        MachineMemory.Assumed = 17_000_000;
        try
        {
            var e = Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.FastStyleTransfer(sample.Options(o => o.BatchSize = 1000)).Fit(FastStyleSample.Contents(_ml)));
            Assert.AreEqual("BatchSize", e.ParamName);
            StringAssert.Contains(e.Message, "Column 'Image', 24 x 32 pixels (height x width): the 1000 pictures of a step need about");
        }
        finally
        {
            MachineMemory.Assumed = null;
        }
    }

    [TestMethod]
    public void ValuesUpToOne_AreWarnedOf()
    {
        using var sample = new FastStyleSample();
        using var model = _ml.Transforms.FastStyleTransfer(sample.Options(o => (o.ImageShape, o.Epochs) = (new ImageShape(3, 5, 5), 1))).Fit(Vectors(75, (0, 1, .5f)));
        StringAssert.Contains(string.Join("\n", model.History.Warnings), "Column 'Image' has only values from -1 to 1 in the 2 rows that were looked at, but they may be as large as 255");
    }

    private IDataView Vectors(int size, params (int Row, int Slot, float Value)[] values)
    {
        var rows = Enumerable.Range(0, 2).Select(_ => new VectorRow { Image = new float[size] }).ToArray();
        foreach (var (row, slot, value) in values)
            rows[row].Image[slot] = value;
        var schema = SchemaDefinition.Create(typeof(VectorRow));
        schema["Image"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, size);
        return _ml.Data.LoadFromEnumerable(rows, schema);
    }

    private sealed class VectorRow
    {
        public float[] Image { get; set; } = [];
    }
}
