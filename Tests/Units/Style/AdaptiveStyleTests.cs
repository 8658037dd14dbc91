using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Families.Style;
using MLExtensions.Tensors;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Loading;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Style;

/// <summary>Any style at once: what is known of statistics, strength and sizes, and that the decoder learns.</summary>
[TestClass]
public sealed class AdaptiveStyleTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Normalization_GivesTheStylesStatistics()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)TestSeed.Of(3));
        var content = randn([2, 6, 9, 7], generator: generator).mul(3).add(2);
        var style = StyleStatistics.MeanAndDeviation(rand([2, 6, 5, 12], generator: generator).mul(4));
        var result = StyleStatistics.MeanAndDeviation(AdaptiveNormalization.Apply(content, style));
        for (var i = 0; i < 2; i++)
            Assert.IsLessThan(1e-5, result[i].sub(style[i]).abs().max().item<float>() / style[i].abs().max().item<float>());
        // The order of the values stays.
        var shifted = AdaptiveNormalization.Apply(content, StyleStatistics.MeanAndDeviation(content));
        Assert.IsLessThan(1e-5, shifted.sub(content).abs().max().item<float>() / content.abs().max().item<float>());
        // A channel that is the same everywhere gets the mean.
        var flat = AdaptiveNormalization.Apply(ones(1, 6, 4, 4), [style[0][..1], style[1][..1]]);
        Assert.IsLessThan(1e-5, flat[0, 2, 1, 1].sub(style[0][0, 2]).abs().item<float>());
    }

    [TestMethod]
    public void MirrorOfVgg19_IsThePapersDecoder()
    {
        var vgg = new CnnArchitecture
        {
            InputCount = 3 * 32 * 32,
            OutputCount = 10,
            Image = new ImageInput(new ImageShape(3, 32, 32)) { Scaling = PixelScaling.ImageNet },
            Layers = CnnLayers.Vgg19(smallImages: true),
        };
        var (encoder, decoder) = MirrorOf(vgg, "relu4_1");
        Assert.AreEqual(8, encoder.Stride);
        Assert.AreEqual(8, decoder.Scale);
        Assert.AreEqual(3_505_219, decoder.ParameterCount);
        CollectionAssert.AreEqual(new[] { 256, 256, 256, 256, 128, 128, 64, 64, 3 }, decoder.Layers.Select(layer => layer.Channels).ToArray());
        CollectionAssert.AreEqual(new[] { 1, 2, 1, 1, 1, 2, 1, 2, 1 }, decoder.Layers.Select(layer => layer.Scale).ToArray());
        StringAssert.Contains(decoder.Summary(), "3,505,219");
    }

    [TestMethod]
    public void MirrorOfSqueezeNet_EnlargesFourTimes()
    {
        var (encoder, decoder) = MirrorOf(SqueezeNet, "fire4");
        Assert.AreEqual(4, encoder.Stride);
        CollectionAssert.AreEqual(new[] { 128, 128, 96, 48, 48, 3 }, decoder.Layers.Select(layer => layer.Channels).ToArray());
        CollectionAssert.AreEqual(new[] { 1, 1, 1, 2, 2, 1 }, decoder.Layers.Select(layer => layer.Scale).ToArray());
        using var module = decoder.CreateModule();
        Assert.AreEqual(decoder.ParameterCount, module.parameters().Sum(parameter => parameter.numel()));
    }

    /// <summary>What a row of pixels changes is painted around that row, whatever strides and paddings the network has.</summary>
    [TestMethod]
    public void Positions_CoverThePicture_WhereItIs()
    {
        foreach (var (architecture, layer) in new[] { (SqueezeNet, "fire4"), (StyleSample.Network, "relu2_2"), (StyleSample.Network, "relu1_1"), (Odd, "relu2_1") })
        {
            using var scope = NewDisposeScope();
            using var network = Load(architecture, layer, positive: true, out var path);
            var encoder = new StyleEncoder(network, path);
            foreach (var side in new[] { encoder.LeastSide, 90, 91, 102 })
            {
                var (rows, columns) = encoder.PositionsOf(side + 7, side);
                var before = Profile(-1);
                var mean = Enumerable.Range(side / 2, encoder.Stride).Average(bright =>
                {
                    var changes = Profile(bright).Zip(before, (after, value) => (double)Math.Abs(after - value)).ToArray();
                    return changes.Select((change, i) => change * i).Sum() / changes.Sum() - bright;
                });
                if (side > encoder.LeastSide)
                    Assert.AreEqual(0, mean, .75, $"{layer}, {side}");

                float[] Profile(int bright)
                {
                    var picture = zeros(1, 3, side + 7, side);
                    if (bright >= 0)
                        picture.narrow(2, bright, 1).fill_(255);
                    var seen = encoder.Encode(picture).mean([1], keepdim: true);
                    CollectionAssert.AreEqual(new long[] { 1, 1, rows, columns }, seen.shape);
                    var painted = encoder.Cut(nn.functional.interpolate(seen, [rows * encoder.Stride, columns * encoder.Stride]), side + 7, side);
                    CollectionAssert.AreEqual(new long[] { 1, 1, side + 7, side }, painted.shape);
                    return painted[0, 0, TensorIndex.Colon, side / 2].contiguous().data<float>().ToArray();
                }
            }
        }
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Training_LowersTheLoss(bool streaming)
    {
        using var sample = new StyleSample();
        var transformer = Fit(sample, o => (o.Epochs, o.BatchSize, o.LearningRate, o.Buffering) = (60, 2, .003, streaming ? Buffering.Streaming : Buffering.InMemory));
        using (transformer)
        {
            var epochs = transformer.History.Epochs;
            Floor.Below(5, epochs[^1].TrainingLoss, streaming ? "streamed" : "in memory");
            foreach (var epoch in epochs)
                Assert.AreEqual(epoch.Training["contentLoss"] + (10 * epoch.Training["styleLoss"]) + epoch.Training["totalVariation"], epoch.TrainingLoss, 1e-4 * epoch.TrainingLoss);
        }
    }

    [TestMethod]
    public void Painted_HasTheStylesStatistics_MoreThanTheContent()
    {
        using var sample = new StyleSample();
        using var transformer = Fit(sample, o => (o.Epochs, o.BatchSize, o.LearningRate) = (60, 2, .003));
        using var scene = StyleSample.Scene();
        using var stripes = StyleSample.Stripes();
        using var painted = Paint(transformer, scene, stripes);
        Floor.Below(.9, StyleDistance(sample, painted, stripes) / StyleDistance(sample, scene, stripes));
    }

    [TestMethod]
    public void Strength0_IsTheContent_BitForBit()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var bytes = scene.Pixels.ToArray();
        for (var i = 3; i < bytes.Length / 2; i += 4)
            bytes[i] = (byte)(i % 256);
        using var content = MLImage.CreateFromPixels(PictureSample.Width, PictureSample.Height, MLPixelFormat.Bgra32, bytes);
        using var stripes = StyleSample.Stripes();
        using var transformer = Fit(sample, o => (o.Strength, o.Epochs) = (0, 2));
        using var back = Paint(transformer, content, stripes);
        Assert.AreEqual(0, StyleSample.Distance(content, back));
        // The way to it has no jump: the picture of a strength near 0 is near the content, that near 1 near the decoder's.
        transformer.Strength = 1e-4;
        using var opaque = StyleSample.Scene();
        using var near = Paint(transformer, opaque, stripes);
        Assert.IsLessThanOrEqualTo(1, StyleSample.Distance(opaque, near));
        transformer.Strength = 1;
        using var whole = Paint(transformer, opaque, stripes);
        transformer.Strength = 1 - 1e-4;
        using var almost = Paint(transformer, opaque, stripes);
        Assert.IsLessThanOrEqualTo(1, StyleSample.Distance(whole, almost));
        Assert.IsGreaterThan(10, StyleSample.Distance(opaque, whole));
        Assert.Throws<ArgumentOutOfRangeException>(() => transformer.Strength = 1.5);
    }

    [TestMethod]
    public void StrengthColumn_DecidesRowByRow()
    {
        using var sample = new StyleSample();
        using var transformer = Fit(sample, o => (o.StrengthColumnName, o.Epochs) = ("Share", 2));
        using var scene = StyleSample.Scene();
        using var stripes = StyleSample.Stripes();
        var painted = Paint(transformer, new AnyPair { Image = scene, Style = stripes, Share = 0 }, new AnyPair { Image = scene, Style = stripes, Share = .5f }, new AnyPair { Image = scene, Style = stripes, Share = 1 });
        Assert.AreEqual(0, StyleSample.Distance(scene, painted[0]));
        Assert.IsGreaterThan(5, StyleSample.Distance(painted[1], painted[0]));
        Assert.IsGreaterThan(5, StyleSample.Distance(painted[1], painted[2]));
        foreach (var share in new[] { 1.5f, float.NaN })
        {
            var e = Assert.ThrowsExactly<FormatException>(() => Paint(transformer, new AnyPair { Image = scene, Style = stripes, Share = share }));
            StringAssert.Contains(e.Message, $"Column 'Share', row 0 (the first row is 0): the strength is {share}; it must be between 0 and 1");
        }
    }

    [TestMethod]
    public void PreserveColors_ChromaStays()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        using var stripes = StyleSample.Stripes();
        using var transformer = Fit(sample, o => (o.PreserveColors, o.Epochs) = (true, 5));
        using var painted = Paint(transformer, scene, stripes);
        var (before, after) = (StyleSample.Bytes(scene), StyleSample.Bytes(painted));
        var changed = 0;
        for (var i = 0; i < before.Length; i += 4)
        {
            Assert.IsLessThanOrEqualTo(1, Math.Abs(after[i] - after[i + 1] - (before[i] - before[i + 1])), "red minus green");
            Assert.IsLessThanOrEqualTo(1, Math.Abs(after[i + 2] - after[i + 1] - (before[i + 2] - before[i + 1])), "blue minus green");
            changed = Math.Max(changed, Math.Abs(after[i + 1] - before[i + 1]));
        }
        Assert.IsGreaterThan(10, changed, "the luminance changes");
    }

    [TestMethod]
    public void AnySizes_AndTransparencyStays()
    {
        using var sample = new StyleSample();
        using var transformer = Fit(sample, o => o.Epochs = 1);
        using var stripes = StyleSample.Stripes();
        var encoder = new StyleEncoder(transformer.Encoder, "features.6");
        foreach (var (width, height) in new[] { (encoder.LeastSide, encoder.LeastSide), (33, 47), (64, 20), (101, 102) })
        {
            var bytes = TestImages.Create(width, height, (y, x) => ((byte)(5 * x), (byte)(3 * y), 90)).Pixels.ToArray();
            bytes[3] = 7;
            using var picture = MLImage.CreateFromPixels(width, height, MLPixelFormat.Bgra32, bytes);
            using var painted = Paint(transformer, picture, stripes);
            Assert.AreEqual((width, height), (painted.Width, painted.Height));
            var opacity = StyleSample.Bytes(painted).Where((_, i) => i % 4 == 3).ToArray();
            Assert.AreEqual(7, opacity[0]);
            Assert.IsTrue(opacity.Skip(1).All(value => value == 255));
        }
    }

    [TestMethod]
    public void SavedAndLoaded_SameBits_AndOwnsItsEncoder()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        using var stripes = StyleSample.Stripes();
        using var transformer = Fit(sample, o => (o.Strength, o.Epochs) = (.7, 2));
        using var file = new MemoryStream();
        _ml.Model.Save(transformer, null, file);
        using var expected = Paint(transformer, scene, stripes);
        transformer.Dispose();
        File.Delete(sample.WeightsPath);
        file.Position = 0;
        using var loaded = (AdaptiveStyleTransferTransformer)new MLContext(7).Model.Load(file, out _);
        using var again = Paint(loaded, scene, stripes);
        Assert.AreEqual(0, StyleSample.Distance(expected, again));
        Assert.AreEqual(.7f, (float)loaded.Strength);
        Assert.HasCount(2, loaded.History.Epochs);
    }

    [TestMethod]
    public void Rows_DoNotDependOnEachOther_AndThreadsNeither()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        using var stripes = StyleSample.Stripes();
        using var transformer = Fit(sample, o => o.Epochs = 1);
        var expected = Paint(transformer, new AnyPair { Image = stripes, Style = scene }, new AnyPair { Image = scene, Style = stripes });
        Parallel.For(0, 4, _ =>
        {
            using var alone = Paint(transformer, scene, stripes);
            Assert.AreEqual(0, StyleSample.Distance(expected[1], alone));
        });
    }

    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(true, true)]
    public void Resumed_SameBits(bool given, bool streaming)
    {
        using var sample = new StyleSample();
        using var folder = new TemporaryFolder();
        void Change(AdaptiveStyleTransferEstimator.Options o)
        {
            (o.Epochs, o.LearningRateSchedule, o.EmaDecay, o.ValidationFraction) = (4, LearningRateSchedule.Constant(), .9, .25);
            o.Buffering = streaming ? Buffering.Streaming : Buffering.InMemory;
            o.StyleImages = given ? [StyleSample.Stripes(), StyleSample.Scene()] : [];
        }
        using var whole = Fit(sample, Change);
        using (Fit(sample, o =>
        {
            Change(o);
            (o.Epochs, o.CheckpointFolder) = (2, folder.Path);
        }))
        {
        }
        using var resumed = Fit(sample, o =>
        {
            Change(o);
            (o.CheckpointFolder, o.ResumeFromCheckpoint) = (folder.Path, true);
        });
        AssertSameWeights(whole, resumed);
        Assert.AreEqual(whole.History.Epochs[^1].Validation["loss"], resumed.History.Epochs[^1].Validation["loss"]);
        // Other styles are another training.
        var e = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(sample, o =>
        {
            Change(o);
            (o.StyleImages, o.CheckpointFolder, o.ResumeFromCheckpoint) = ([StyleSample.Scene()], folder.Path, true);
        }));
        StringAssert.Contains(e.Message, "training data");
    }

    [TestMethod]
    public void Seed_DecidesPairsAndWeights()
    {
        using var sample = new StyleSample();
        using var first = Fit(sample, o => o.Epochs = 2);
        using var same = Fit(sample, o => o.Epochs = 2);
        using var other = Fit(sample, o => (o.Epochs, o.Seed) = (2, 2));
        AssertSameWeights(first, same);
        Assert.IsFalse(first.Decoder.GetWeights("layers.0.weight").SequenceEqual(other.Decoder.GetWeights("layers.0.weight")));
    }

    [TestMethod]
    public void InitialModel_GoesOn_WithTheSameEncoderOnly()
    {
        using var sample = new StyleSample();
        using var first = Fit(sample, o => o.Epochs = 20);
        using var second = Fit(sample, o => (o.Epochs, o.InitialModel) = (0, first));
        AssertSameWeights(first, second);
        var e = Assert.ThrowsExactly<ArgumentException>(() => Fit(sample, o => (o.EncoderLayer, o.StyleLayers, o.InitialModel) = ("relu2_1", ["relu2_1"], first)));
        StringAssert.Contains(e.Message, "InitialModel was trained with another encoder");
    }

    [TestMethod]
    public void DeeperStyleLayer_IsCompared_ButNotSaved()
    {
        using var sample = new StyleSample();
        using var transformer = Fit(sample, o => (o.EncoderLayer, o.StyleLayers, o.StyleLayerWeights, o.Epochs) = ("relu2_1", ["relu1_1", "relu2_2"], [1, .5], 1));
        Assert.IsTrue(transformer.Encoder.WeightShapes.Keys.All(name => !name.StartsWith("features.5", StringComparison.Ordinal)));
        using var scene = StyleSample.Scene();
        using var stripes = StyleSample.Stripes();
        using var painted = Paint(transformer, scene, stripes);
        Assert.AreEqual(scene.Width, painted.Width);
    }

    [TestMethod]
    [DataRow(Precision.BFloat16)]
    [DataRow(Precision.Float32)]
    public void Pictures_ForTensorBoard_AndBatchesOfOne(Precision precision)
    {
        using var sample = new StyleSample();
        using var folder = new TemporaryFolder();
        using var transformer = Fit(sample, o => (o.Epochs, o.BatchSize, o.TensorBoardFolder, o.Precision) = (1, 1, folder.Path, precision));
        var file = Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Single();
        Assert.IsTrue(File.ReadAllBytes(file).AsSpan().IndexOf("styled"u8) > 0);
        Assert.IsTrue(double.IsFinite(transformer.History.Epochs[0].TrainingLoss));
    }

    [TestMethod]
    public void Cancelled_Throws_AndLeavesNoTensor()
    {
        using var sample = new StyleSample();
        using (Fit(sample, o => o.Epochs = 1))
        {
        }
        using var source = new CancellationTokenSource();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Assert.ThrowsExactly<OperationCanceledException>(() => Fit(sample, o =>
        {
            (o.StyleImages, o.CancellationToken) = ([StyleSample.Stripes(), StyleSample.Scene()], source.Token);
            o.Progress = new Canceller(source);
        }));
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [TestMethod]
    public void SmallAndMissingPictures_RefusedByName()
    {
        using var sample = new StyleSample();
        using var transformer = Fit(sample, o => o.Epochs = 1);
        using var dot = TestImages.Solid(2, 40, 1, 2, 3);
        using var scene = StyleSample.Scene();
        void Refused(string text, MLImage? content, MLImage? style) => StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => Paint(transformer, content, style)).Message, text);
        Refused("Image column 'Image', row 0 (the first row is 0): the picture has 40 x 2 pixels (height x width): each side must have at least", dot, scene);
        Refused("Image column 'Style', row 0 (the first row is 0): the picture has 40 x 2 pixels", scene, dot);
        Refused("Image column 'Image', row 0 (the first row is 0): the image is missing", null, scene);
        Refused("Image column 'Style', row 0 (the first row is 0): the image is missing", scene, null);
        var e = Assert.ThrowsExactly<ArgumentException>(() => Fit(sample, o => o.StyleImages = [scene, dot]));
        StringAssert.Contains(e.Message, "StyleImages[1] has 40 x 2 pixels");
    }

    [TestMethod]
    public void HugePicture_RefusedBeforehand()
    {
        using var sample = new StyleSample();
        using var transformer = Fit(sample, o => o.Epochs = 1);
        using var scene = StyleSample.Scene();
        MachineMemory.Assumed = 20_000;
        try
        {
            var e = Assert.ThrowsExactly<InsufficientMemoryException>(() => Paint(transformer, scene, scene));
            StringAssert.Contains(e.Message, "Image column 'Image', row 0 (the first row is 0): a picture of 24 x 32 pixels");
            MachineMemory.Assumed = 200_000;
            var training = Assert.ThrowsExactly<ArgumentException>(() => Fit(sample, o => o.BatchSize = 100));
            StringAssert.Contains(training.Message, "BatchSize is 100: so many pictures of 24 x 32 pixels");
        }
        finally
        {
            MachineMemory.Assumed = null;
        }
    }

    [TestMethod]
    public void BadColumns_RefusedByName()
    {
        using var sample = new StyleSample();
        void Refused(string text, IDataView data, Action<AdaptiveStyleTransferEstimator.Options>? change = null)
        {
            var e = Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.AdaptiveStyleTransfer(Options(sample, change)).Fit(data));
            StringAssert.Contains(e.Message, text);
        }
        Refused("Column 'Picture' is not in the data", TrainingView(), o => o.InputColumnName = "Picture");
        Refused("Column 'Share' has type", TrainingView(), o => o.StyleColumnName = "Share");
        Refused("'Image' holds images of different sizes", ViewOfUnknownSize());
        using var transformer = Fit(sample, o => (o.StrengthColumnName, o.Epochs) = ("Text", 1));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => transformer.Transform(View(new AnyPair()))).Message, "Column 'Text' has type String; a strength must be a Single");
        var output = _ml.Transforms.AdaptiveStyleTransfer(Options(sample)).GetOutputSchema(SchemaShape.Create(TrainingView().Schema));
        Assert.IsTrue(output.TryFindColumn("Styled", out var column) && column.ItemType is ImageDataViewType);
    }

    [TestMethod]
    public void BadOptions_RefusedByName()
    {
        using var sample = new StyleSample();
        void Refused(string text, Action<AdaptiveStyleTransferEstimator.Options> change)
        {
            var e = Assert.Throws<Exception>(() => _ml.Transforms.AdaptiveStyleTransfer(Options(sample, change)));
            Assert.IsTrue(e is ArgumentException or FileNotFoundException, e.GetType().Name);
            StringAssert.Contains(e.Message, text);
        }
        Refused("EncoderLayer contains 'relu2_3'", o => o.EncoderLayer = "relu2_3");
        Refused("Did you mean 'relu2_1'?", o => o.EncoderLayer = "relu2_3");
        Refused("EncoderLayer is null, but this network has no usual layers", o => o.EncoderLayer = null);
        Refused("StyleLayers is null", o => o.StyleLayers = null);
        Refused("StyleLayers is empty", o => o.StyleLayers = []);
        Refused("StyleLayerWeights is [1]", o => o.StyleLayerWeights = [1]);
        Refused("StyleWeight is -1", o => o.StyleWeight = -1);
        Refused("ContentWeight is NaN", o => o.ContentWeight = double.NaN);
        Refused("ContentWeight and StyleWeight are 0", o => (o.ContentWeight, o.StyleWeight) = (0, 0));
        Refused("Strength is 2", o => o.Strength = 2);
        Refused("StyleScale is 0", o => o.StyleScale = 0);
        Refused("StrengthColumnName is empty", o => o.StrengthColumnName = " ");
        Refused("StyleColumnName is empty", o => o.StyleColumnName = "");
        Refused("It must be a safetensors file with the weights of an image network", o => o.WeightsPath = "nowhere.safetensors");
        Refused("Epochs is 0", o => o.Epochs = 0);
    }

    [TestMethod]
    public void HostsTorchState_ChangesNothing_AndPaintingLeavesNoTensor()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        using var stripes = StyleSample.Stripes();
        using var transformer = Fit(sample, o => (o.Epochs, o.Strength) = (1, .5));
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        using var expected = Paint(transformer, scene, stripes);
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        using (no_grad())
        {
            using var same = Paint(transformer, scene, stripes);
            Assert.AreEqual(0, StyleSample.Distance(expected, same));
            using var trained = Fit(sample, o => (o.Epochs, o.Strength) = (1, .5));
            AssertSameWeights(transformer, trained);
            Assert.IsFalse(is_grad_enabled());
        }
        using var engine = _ml.Model.CreatePredictionEngine<AnyPair, Painted>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.AreEqual(0, StyleSample.Distance(expected, engine.Predict(new AnyPair { Image = StyleSample.Scene(), Style = StyleSample.Stripes() }).Styled!));
        transformer.Dispose();
        StringAssert.Contains(Assert.ThrowsExactly<ObjectDisposedException>(() => Paint(transformer, scene, stripes)).Message, nameof(AdaptiveStyleTransferTransformer));
    }

    private static CnnArchitecture SqueezeNet { get; } = new()
    {
        InputCount = 3 * 64 * 64,
        OutputCount = 10,
        Image = new ImageInput(new ImageShape(3, 64, 64)) { Scaling = PixelScaling.ImageNet },
        Layers = CnnLayers.SqueezeNet(),
    };

    /// <summary>A stride of 3, a kernel without padding, and a stride that is not the first.</summary>
    private static CnnArchitecture Odd { get; } = new()
    {
        InputCount = 3 * 64 * 64,
        OutputCount = 10,
        Image = new ImageInput(new ImageShape(3, 64, 64)) { Scaling = PixelScaling.ImageNet },
        Layers =
        [
            new SequenceLayer([new ConvolutionLayer(4, 5) { Stride = 3 }, new ActivationLayer(), new MaxPoolingLayer(2), new ConvolutionLayer(6, 3) { Stride = 2, Padding = 1 }, new ActivationLayer()]) { Name = "features" },
            new GlobalAveragePoolingLayer { Name = "pool" },
            new DenseLayer { Name = "classifier" },
        ],
    };

    private static (StyleEncoder Encoder, DecoderArchitecture Decoder) MirrorOf(CnnArchitecture architecture, string layer)
    {
        using var network = Load(architecture, layer, positive: false, out var path);
        var encoder = new StyleEncoder(network, path);
        var decoder = DecoderArchitecture.MirrorOf(encoder, inputDivisor: 1);
        decoder.Check();
        return (encoder, decoder);
    }

    /// <summary>A network up to a layer, with zeros or with positive weights.</summary>
    private static NetworkModelParameters Load(CnnArchitecture architecture, string layer, bool positive, out string path)
    {
        path = LossLayers.Of(architecture).Single(other => other.Is(layer)).Path;
        var cut = Families.Images.LayerCut.Cut(architecture, path, pool: true);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var module = cut.CreateModule();
        foreach (var parameter in module.parameters().Where(parameter => positive && parameter.dim() > 1))
            parameter.fill_(1.0 / parameter[0].numel());
        if (positive)
        {
            // Pixels are scaled to negative numbers too, which a ReLU would not let through.
            foreach (var parameter in module.parameters().Where(parameter => parameter.dim() == 1))
                parameter.fill_(3);
        }
        module.DetachFromDisposeScope();
        return new NetworkModelParameters(new MLContext(1), cut, head: null, module, history: null);
    }

    private static AdaptiveStyleTransferEstimator.Options Options(StyleSample sample, Action<AdaptiveStyleTransferEstimator.Options>? change = null)
    {
        var options = new AdaptiveStyleTransferEstimator.Options
        {
            WeightsPath = sample.WeightsPath,
            Architecture = StyleSample.Network,
            EncoderLayer = "relu2_2",
            StyleLayers = ["relu1_1", "relu2_1", "relu2_2"],
            Seed = TestSeed.Of(1),
            ThreadCount = 1,
        };
        change?.Invoke(options);
        return options;
    }

    private static double StyleDistance(StyleSample sample, MLImage a, MLImage b)
    {
        var ml = new MLContext(1);
        var data = StyleSample.View(ml, a, b);
        using var transformer = ml.Transforms.StyleEmbedding(new StyleEmbeddingEstimator.Options { WeightsPath = sample.WeightsPath, Architecture = StyleSample.Network, Layers = ["relu1_1", "relu2_1", "relu2_2"] }).Fit(data);
        var vectors = transformer.Transform(data).GetColumn<float[]>("Features").ToArray();
        return Math.Sqrt(vectors[0].Zip(vectors[1]).Sum(pair => Math.Pow(pair.First - pair.Second, 2)));
    }

    private static void AssertSameWeights(AdaptiveStyleTransferTransformer a, AdaptiveStyleTransferTransformer b)
    {
        foreach (var name in a.Decoder.WeightShapes.Keys)
            Outcome.AssertSameBits(a.Decoder.GetWeights(name), b.Decoder.GetWeights(name));
    }

    private AdaptiveStyleTransferTransformer Fit(StyleSample sample, Action<AdaptiveStyleTransferEstimator.Options>? change = null) =>
        _ml.Transforms.AdaptiveStyleTransfer(Options(sample, change)).Fit(TrainingView());

    private MLImage Paint(AdaptiveStyleTransferTransformer transformer, MLImage? content, MLImage? style) => Paint(transformer, new AnyPair { Image = content, Style = style })[0];

    private MLImage[] Paint(AdaptiveStyleTransferTransformer transformer, params AnyPair[] pairs) => StyleSample.Read(transformer.Transform(View(pairs)), "Styled");

    private static IDataView View(params AnyPair[] pairs) => new MLContext(1).Data.LoadFromEnumerable(pairs);

    private static IDataView ViewOfUnknownSize()
    {
        var schema = SchemaDefinition.Create(typeof(AnyPair));
        schema[nameof(AnyPair.Image)].ColumnType = new ImageDataViewType();
        return new MLContext(1).Data.LoadFromEnumerable([new AnyPair()], schema);
    }

    /// <summary>Eight scenes and eight patterns.</summary>
    private IDataView TrainingView() => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Pair
    {
        Image = TestImages.Create(PictureSample.Width, PictureSample.Height, (y, x) => ((byte)(8 * x), (byte)(y < 8 + i ? 200 : 60), (byte)((10 * y) + (3 * i)))),
        Style = TestImages.Create(Pair.StyleWidth, Pair.StyleHeight, (y, x) => ((i % 2 * y) + x) % (4 + i) < 2 + (i / 2) ? ((byte)(230 - (20 * i)), (byte)40, (byte)(30 * i)) : ((byte)20, (byte)(60 + (20 * i)), (byte)220)),
    }));

    private sealed class Pair
    {
        public const int StyleHeight = 28;
        public const int StyleWidth = 20;

        [ImageType(PictureSample.Height, PictureSample.Width)]
        public MLImage? Image { get; set; }

        [ImageType(StyleHeight, StyleWidth)]
        public MLImage? Style { get; set; }

        public float Share { get; set; } = 1;
    }

    /// <summary>Pictures of other sizes than the column says.</summary>
    private sealed class AnyPair
    {
        [ImageType(1, 1)]
        public MLImage? Image { get; set; }

        [ImageType(1, 1)]
        public MLImage? Style { get; set; }

        public float Share { get; set; } = 1;

        public string Text { get; set; } = "";
    }

    private sealed class Painted
    {
        [ImageType(1, 1)]
        public MLImage? Styled { get; set; }
    }

    private sealed class Canceller(CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => source.Cancel();
    }
}
