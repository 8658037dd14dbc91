using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Families.Style;
using MLExtensions.Tensors;
using MLExtensions.Tests.Loading;
using TorchSharp;
using static MLExtensions.Tests.Style.AdaptiveStyleSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Style;

/// <summary>Any style at once: what is known of strength, colors and sizes, and what is refused.</summary>
[TestClass]
public sealed class AdaptiveStyleTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [TestCategory("Floor")]
    public void Painted_HasTheStylesStatistics_MoreThanTheContent()
    {
        using var sample = new StyleSample();
        using var transformer = Fit(sample, o => (o.Epochs, o.BatchSize, o.LearningRate) = (80, 2, .003));
        var painted = transformer.Transform(TrainingView());
        using var embedding = _ml.Transforms.StyleEmbedding(new StyleEmbeddingEstimator.Options { WeightsPath = sample.WeightsPath, Architecture = StyleSample.Network, Layers = ["relu1_1", "relu2_1", "relu2_2"] }).Fit(StyleSample.View(_ml, StyleSample.Scene()));
        float[][] Statistics(string column) => embedding.Transform(_ml.Transforms.CopyColumns("Image", column).Fit(painted).Transform(painted)).GetColumn<float[]>("Features").ToArray();
        var (content, style, result) = (Statistics("Image"), Statistics("Style"), Statistics("Styled"));
        Floor.Below(.9, result.Zip(style, Distance).Sum() / content.Zip(style, Distance).Sum());

        // The squared differences of each layer, relative to those of the style itself.
        static double Distance(float[] values, float[] style) => new[] { (0, 16), (16, 24), (40, 24) }.Sum(layer =>
            Enumerable.Range(layer.Item1, layer.Item2).Sum(i => Math.Pow(values[i] - style[i], 2)) / Enumerable.Range(layer.Item1, layer.Item2).Sum(i => Math.Pow(style[i], 2)));
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
    public void Vectors_ArePaintedLikeImages()
    {
        using var sample = new StyleSample();
        using var transformer = Fit(sample, o => o.Epochs = 2);
        using var scene = StyleSample.Scene();
        using var stripes = StyleSample.Stripes();
        using var expected = Paint(transformer, scene, stripes);
        var schema = SchemaDefinition.Create(typeof(VectorPair));
        schema[nameof(VectorPair.Image)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3, PictureSample.Height, PictureSample.Width);
        schema[nameof(VectorPair.Style)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3, stripes.Height, stripes.Width);
        var data = _ml.Data.LoadFromEnumerable([new VectorPair { Image = Planar(scene), Style = Planar(stripes) }], schema);
        var view = transformer.Transform(data);
        Assert.AreEqual(data.Schema["Image"].Type, view.Schema["Styled"].Type);
        CollectionAssert.AreEqual(Planar(expected), Array.ConvertAll(view.GetColumn<float[]>("Styled").Single(), MathF.Round));
        transformer.Strength = 0;
        CollectionAssert.AreEqual(Planar(scene), transformer.Transform(data).GetColumn<float[]>("Styled").Single());

        static float[] Planar(MLImage image)
        {
            var bytes = StyleSample.Bytes(image);
            return Enumerable.Range(0, 3).SelectMany(channel => bytes.Where((_, i) => i % 4 == channel)).Select(value => (float)value).ToArray();
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
    public void EncoderLayerBeforeAllUsualStyleLayers_SaysSo()
    {
        using var sample = new StyleSample();
        LossNetworkSample.Write(sample.WeightsPath, 5, LossNetworkSample.NamedLikeVgg);
        var options = new AdaptiveStyleTransferEstimator.Options { WeightsPath = sample.WeightsPath, Architecture = LossNetworkSample.NamedLikeVgg, EncoderLayer = "conv1_1" };
        var e = Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.AdaptiveStyleTransfer(options));
        StringAssert.Contains(e.Message, "StyleLayers is null, and all of the usual ones (relu1_1, relu2_1, relu3_1, relu4_1, relu5_1) are behind EncoderLayer 'conv1_1'. Name some in StyleLayers, or choose a later EncoderLayer.");
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
            MachineMemory.Assumed = 17_000_000;
            var training = Assert.ThrowsExactly<ArgumentException>(() => Fit(sample, o => o.BatchSize = 100));
            StringAssert.Contains(training.Message, "BatchSize is 100: so many pictures of 24 x 32 pixels");
        }
        finally
        {
            MachineMemory.Assumed = null;
        }
    }

    private sealed class VectorPair
    {
        public float[] Image { get; set; } = [];

        public float[] Style { get; set; } = [];
    }

    private sealed class Painted
    {
        [ImageType(1, 1)]
        public MLImage? Styled { get; set; }
    }
}
