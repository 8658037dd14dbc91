using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Style;

/// <summary>A style embedding is the layers' statistics, whatever the size of the picture.</summary>
[TestClass]
public sealed class StyleEmbeddingTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(StyleStatistic.MeansAndDeviations, 2 * (8 + 12))]
    [DataRow(StyleStatistic.Gram, (8 * 9 / 2) + (12 * 13 / 2))]
    public void Length_IsKnown_AndSavedAndLoadedTheSame(StyleStatistic statistic, int size)
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        using var other = StyleSample.Stripes();
        var data = StyleSample.View(_ml, scene, other);
        using var transformer = Estimator(sample, statistic).Fit(data);
        Assert.AreEqual(size, transformer.Size);
        var vectors = Vectors(transformer, data);
        Assert.AreEqual(size, ((VectorDataViewType)transformer.GetOutputSchema(data.Schema)["Features"].Type).Size);
        using var file = new MemoryStream();
        _ml.Model.Save(transformer, null, file);
        file.Position = 0;
        using var loaded = (StyleEmbeddingTransformer)_ml.Model.Load(file, out _);
        var again = Vectors(loaded, data);
        for (var row = 0; row < 2; row++)
            Outcome.AssertSameBits(vectors[row], again[row]);
        Assert.IsFalse(vectors[0].SequenceEqual(vectors[1]));
    }

    [TestMethod]
    public void Statistics_BelongTogether()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var data = StyleSample.View(_ml, scene);
        using var moments = Estimator(sample, StyleStatistic.MeansAndDeviations).Fit(data);
        using var gram = Estimator(sample, StyleStatistic.Gram).Fit(data);
        var (m, g) = (Vectors(moments, data)[0], Vectors(gram, data)[0]);
        // The diagonal of the Gram matrix is the mean of squares: the square of the mean plus the variance.
        for (int channel = 0, at = 0; channel < 8; at += 8 - channel, channel++)
            Assert.AreEqual((m[channel] * m[channel]) + (m[8 + channel] * m[8 + channel]), g[at], 1e-4 * Math.Max(.01, g[at]));
    }

    [TestMethod]
    public void Pattern_ShiftedByItsPeriod_HasNearlyTheSameStyle()
    {
        using var sample = new StyleSample();
        MLImage Pattern(int shift, int size) => TestImages.Create(size, size, (y, x) => (x + y + shift) % 8 < 4 ? ((byte)230, (byte)40, (byte)30) : ((byte)20, (byte)60, (byte)220));
        var vectors = Vectors(Estimator(sample, StyleStatistic.MeansAndDeviations), Pattern(0, 64), Pattern(3, 96), StyleSample.Scene());
        Assert.IsLessThan(.6, Distance(vectors[0], vectors[1]) / Distance(vectors[0], vectors[2]));
    }

    [TestMethod]
    public void BadOptionsAndPictures_RefusedByName()
    {
        using var sample = new StyleSample();
        using var dot = TestImages.Solid(1, 1, 1, 2, 3);
        void Refused(string text, Action<StyleEmbeddingEstimator.Options> change)
        {
            var options = Options(sample, StyleStatistic.Gram);
            change(options);
            var e = Assert.Throws<ArgumentException>(() => _ml.Transforms.StyleEmbedding(options));
            StringAssert.Contains(e.Message, text);
        }
        Refused("Layers contains 'relu9'", o => o.Layers = ["relu9"]);
        Refused("Layers is empty", o => o.Layers = []);
        Refused("Layers is null, but this network has no usual layers", o => o.Layers = null);
        Refused("Statistic is 7", o => o.Statistic = (StyleStatistic)7);
        Refused("OutputColumnName is empty", o => o.OutputColumnName = "");
        var small = Assert.ThrowsExactly<FormatException>(() => Vectors(Estimator(sample, StyleStatistic.Gram), dot));
        StringAssert.Contains(small.Message, "Image column 'Image', row 0 (the first row is 0): the picture has 1 x 1 pixels");
        var text = _ml.Data.LoadFromEnumerable([new { Image = "a" }]);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Estimator(sample, StyleStatistic.Gram).Fit(text)).Message, "Column 'Image' has type String; it must be an image");
    }

    private static StyleEmbeddingEstimator.Options Options(StyleSample sample, StyleStatistic statistic) =>
        new() { WeightsPath = sample.WeightsPath, Architecture = StyleSample.Network, Layers = ["relu1_1", "features.4"], Statistic = statistic };

    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b).Sum(pair => (pair.First - pair.Second) * (double)(pair.First - pair.Second)));

    private static float[][] Vectors(StyleEmbeddingTransformer transformer, IDataView data) => transformer.Transform(data).GetColumn<float[]>("Features").ToArray();

    private StyleEmbeddingEstimator Estimator(StyleSample sample, StyleStatistic statistic) => _ml.Transforms.StyleEmbedding(Options(sample, statistic));

    private float[][] Vectors(StyleEmbeddingEstimator estimator, params MLImage?[] pictures)
    {
        var data = StyleSample.View(_ml, pictures);
        using var transformer = estimator.Fit(data);
        return Vectors(transformer, data);
    }
}
