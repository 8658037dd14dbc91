using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.TensorBoard;
using SkiaSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Gan;

/// <summary>What a trained generator is asked for: pictures, the way from one sample to another, samples in TensorBoard.</summary>
[TestClass]
public sealed class SampleOutputTests
{
    // Images of 8 x 8 pixels are drawn 8 times as large, with gaps of 2.
    private const int Zoom = 8;
    private const int Gap = 2;
    private const int Step = (GanSample.Side * Zoom) + Gap;

    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    public void SaveSamplesPng_HasItsSize_AndTheColorsOfTheSamples(int channels)
    {
        using var folder = new TemporaryFolder();
        using var gan = Images(channels, conditional: false);
        gan.SaveSamplesPng(folder.File("samples.png"), count: 5, seed: 3, columns: 3);
        using var picture = SKBitmap.Decode(folder.File("samples.png"));
        Assert.AreEqual(((3 * Step) + Gap, (2 * Step) + Gap), (picture.Width, picture.Height));
        var samples = gan.Generate(5, seed: 3).GetColumn<float[]>("Sample").ToArray();
        for (var sample = 0; sample < samples.Length; sample++)
        {
            for (var pixel = 0; pixel < GanSample.Side * GanSample.Side; pixel++)
            {
                var color = PixelOf(picture, sample % 3, sample / 3, pixel);
                var levels = Enumerable.Range(0, 3).Select(channel => 255 * samples[sample][(channel % channels * GanSample.Side * GanSample.Side) + pixel]).ToArray();
                Assert.AreEqual(levels[0], color.Red, 0.51, $"sample {sample}, pixel {pixel}");
                Assert.AreEqual(levels[1], color.Green, 0.51, $"sample {sample}, pixel {pixel}");
                Assert.AreEqual(levels[2], color.Blue, 0.51, $"sample {sample}, pixel {pixel}");
            }
        }
    }

    [TestMethod]
    public void SaveSamplesPng_Defaults_AndTheAskedClass()
    {
        using var folder = new TemporaryFolder();
        using var gan = Images(1, conditional: true);
        gan.SaveSamplesPng(folder.File("all.png"));
        gan.SaveSamplesPng(folder.File("right.png"), count: 3, label: "right", columns: null);
        using var all = SKBitmap.Decode(folder.File("all.png"));
        using var right = SKBitmap.Decode(folder.File("right.png"));
        Assert.AreEqual(((8 * Step) + Gap, (8 * Step) + Gap), (all.Width, all.Height));
        Assert.AreEqual(((2 * Step) + Gap, (2 * Step) + Gap), (right.Width, right.Height));
        var noise = gan.DrawNoise(2);
        // The classes one after the other: the second image is the first one of class right.
        Assert.AreEqual(255 * gan.Sample(noise[0], "left")[9], PixelOf(all, 0, 0, 9).Red, 0.51);
        Assert.AreEqual(255 * gan.Sample(noise[1], "right")[9], PixelOf(all, 1, 0, 9).Red, 0.51);
        Assert.AreEqual(255 * gan.Sample(noise[0], "right")[9], PixelOf(right, 0, 0, 9).Red, 0.51);
    }

    /// <summary>Those of each second epoch and of the last, as they are in the folder; they change nothing.</summary>
    [TestMethod]
    public void TensorBoard_HasTheSamples()
    {
        using var folder = new TemporaryFolder();
        var options = ImageOptions(1, conditional: true);
        (options.Epochs, options.SampleInterval, options.TensorBoardFolder, options.SamplesFolder) = (3, 2, folder.File("board"), folder.File("pictures"));
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml, 32));
        (options.TensorBoardFolder, options.SamplesFolder) = (null, null);
        using var plain = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml, 32));
        Outcome.AssertSameBits(Outcome.Weights(plain.Generator), Outcome.Weights(gan.Generator));
        var pictures = EventFile.Read(Directory.GetFiles(folder.File("board"), "*", SearchOption.AllDirectories).Single()).Where(value => value.Tag == "samples").ToArray();
        CollectionAssert.AreEqual(new long[] { 2, 3 }, pictures.Select(value => value.Step).ToArray());
        foreach (var value in pictures)
        {
            // Eight rows, a column for each of the two classes.
            var picture = value[4].Message;
            Assert.AreEqual(((8 * Step) + Gap, (2 * Step) + Gap), ((int)picture.Get(1).Bits, (int)picture.Get(2).Bits));
            CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("pictures", $"samples-{value.Step:0000}.png")), picture.Get(4).Bytes);
        }
    }

    [TestMethod]
    public void TensorBoard_HasPairsOfNumbersAsPoints()
    {
        using var folder = new TemporaryFolder();
        using var gan = Ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options
        {
            Networks = GanSample.SmallPoints(),
            Epochs = 1,
            BatchSize = 32,
            TensorBoardFolder = folder.Path,
            Seed = TestSeed.Of(1),
            ThreadCount = 1,
        }).Fit(GanSample.Points(Ml, 64));
        var picture = EventFile.Read(Directory.GetFiles(folder.Path).Single()).Single(value => value.Tag == "samples")[4].Message;
        using var decoded = SKBitmap.Decode(picture.Get(4).Bytes);
        Assert.AreEqual((500, 500), (decoded.Width, decoded.Height));
    }

    /// <summary>Half of a right angle: both vectors count with sqrt(1/2). A third of it: sin 60 and sin 30 degrees.</summary>
    [TestMethod]
    public void Interpolate_ArcAndLine_ByHand()
    {
        using var gan = Linear();
        const float Root = 1.4142136f;
        AssertWay([(2, 0), (Root, Root), (0, 2)], gan.Interpolate([2, 0], [0, 2], 3));
        AssertWay([(2, 0), (1, 1), (0, 2)], gan.Interpolate([2, 0], [0, 2], 3, spherical: false));
        AssertWay([(3, 0), (2.5980762f, 0.5f), (1.5f, 0.8660254f), (0, 1)], gan.Interpolate([3, 0], [0, 1], 4));
        AssertWay([(3, 0), (2, 1 / 3f), (1, 2 / 3f), (0, 1)], gan.Interpolate([3, 0], [0, 1], 4, spherical: false));
    }

    /// <summary>There is no arc, or any, between vectors of one direction, of opposite ones, and from zero: the line.</summary>
    [TestMethod]
    public void Interpolate_WithoutAnArc_IsALine()
    {
        using var gan = Linear();
        AssertWay([(1, 0), (2, 0), (3, 0)], gan.Interpolate([1, 0], [3, 0], 3));
        AssertWay([(1, 0), (0, 0), (-1, 0)], gan.Interpolate([1, 0], [-1, 0], 3));
        AssertWay([(0, 0), (1, 2), (2, 4)], gan.Interpolate([0, 0], [2, 4], 3));
    }

    /// <summary>The samples are a linear function of the noise.</summary>
    private static void AssertWay((float X, float Y)[] noise, float[][] samples)
    {
        Assert.HasCount(noise.Length, samples);
        foreach (var ((x, y), sample) in noise.Zip(samples))
        {
            Assert.AreEqual(x + (2 * y) + 0.5f, sample[0], 2e-6f);
            Assert.AreEqual(-y - 0.5f, sample[1], 2e-6f);
        }
    }

    private static GanTransformer Linear()
    {
        var gan = Ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options
        {
            Networks = new GanNetworks { LatentSize = 2, Generator = [new DenseLayer()], Discriminator = [new DenseLayer()] },
            Epochs = 1,
            Seed = TestSeed.Of(1),
            ThreadCount = 1,
        }).Fit(GanSample.Points(Ml, 64));
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        foreach (var (_, value) in gan.Generator.Network.state_dict())
            value.copy_(value.dim() == 2 ? tensor(new float[,] { { 1, 2 }, { 0, -1 } }) : tensor([0.5f, -0.5f]));
        return gan;
    }

    /// <summary>The middle of a drawn pixel.</summary>
    private static SKColor PixelOf(SKBitmap picture, int column, int row, int pixel) => picture.GetPixel(
        Gap + (column * Step) + (pixel % GanSample.Side * Zoom) + (Zoom / 2),
        Gap + (row * Step) + (pixel / GanSample.Side * Zoom) + (Zoom / 2));

    private static GanTransformer Images(int channels, bool conditional) =>
        Ml.GenerativeModels.Trainers.Dcgan(ImageOptions(channels, conditional)).Fit(GanSample.Halves(Ml, 32, channels: channels));

    private static DcganEstimator.Options ImageOptions(int channels, bool conditional) => new()
    {
        Networks = GanSample.SmallImages(conditional, channels),
        LabelColumnName = conditional ? "Class" : null,
        Epochs = 1,
        BatchSize = 16,
        Seed = TestSeed.Of(1),
        ThreadCount = 1,
    };
}
