using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using TorchSharp;
using static MLExtensions.Tests.Style.AdaptiveStyleSample;

namespace MLExtensions.Tests.Style;

/// <summary>Any style at once: the decoder learns, with everything that the engine gives.</summary>
[TestClass]
public sealed class AdaptiveStyleTrainingTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(false)]
    [DataRow(true)]
    public void Training_LowersTheLoss(bool streaming)
    {
        using var sample = new StyleSample();
        var transformer = Fit(sample, o => (o.Epochs, o.BatchSize, o.LearningRate, o.Buffering) = (60, 2, .003, streaming ? Buffering.Streaming : Buffering.InMemory));
        using (transformer)
        {
            var epochs = transformer.History.Epochs;
            // How large the loss is hangs on the network that measures it, which is random.
            Floor.Below(.75, epochs[^1].TrainingLoss / epochs[0].TrainingLoss, streaming ? "streamed" : "in memory");
            foreach (var epoch in epochs)
                Assert.AreEqual(epoch.Training["contentLoss"] + (10 * epoch.Training["styleLoss"]) + epoch.Training["totalVariation"], epoch.TrainingLoss, 1e-4 * epoch.TrainingLoss);
        }
    }

    [TestMethod]
    public void TransparentPictures_AreLearnedAsTheyAreSeen()
    {
        using var sample = new StyleSample();
        AdaptiveStyleTransferTransformer Trained(byte alpha, byte value)
        {
            MLImage With(int width, int height) => MLImage.CreateFromPixels(width, height, MLPixelFormat.Bgra32,
                Enumerable.Range(0, width * height).SelectMany(i => i % 5 == 0 ? new byte[] { value, value, value, alpha } : [(byte)i, 100, 50, 255]).ToArray());
            var rows = Enumerable.Range(0, 2).Select(_ => new TrainingPair { Image = With(PictureSample.Width, PictureSample.Height), Style = With(TrainingPair.StyleWidth, TrainingPair.StyleHeight) }).ToArray();
            return _ml.Transforms.AdaptiveStyleTransfer(Options(sample, o => (o.Epochs, o.BatchSize) = (2, 2))).Fit(_ml.Data.LoadFromEnumerable(rows));
        }
        using var white = Trained(255, 255);
        using var transparent = Trained(0, 0);
        AssertSameWeights(white, transparent);
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
        StringAssert.Contains(e.Message, given ? "made with style pictures" : "made with training data");
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
        using var other = new StyleSample(seed: 6);
        var e = Assert.ThrowsExactly<ArgumentException>(() => Fit(other, o => o.InitialModel = first));
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

    private sealed class Canceller(CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => source.Cancel();
    }
}
