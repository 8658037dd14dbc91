using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Gan;

namespace MLExtensions.Tests.Gan;

/// <summary>Published networks have the numbers of weights that their papers' layers add up to.</summary>
[TestClass]
public sealed class GanPresetTests
{
    [TestMethod]
    public void Goodfellow_ParameterCounts() =>
        Check(GanPresets.Goodfellow(), null, 784, 0, (101 * 1200) + (1201 * 1200) + (1201 * 784), (785 * 240 * 5) + (241 * 240 * 5) + 241);

    [TestMethod]
    public void Mirza_ParameterCounts()
    {
        const long Judge = (785 * 240 * 5) + (11 * 50 * 5) + (291 * 240 * 4) + 241;
        Assert.AreEqual((100, LatentDistribution.Uniform), (GanPresets.Mirza().LatentSize, GanPresets.Mirza().LatentDistribution));
        Check(GanPresets.Mirza(), null, 784, 10, (101 * 200) + (11 * 1000) + (1201 * 784), Judge);
        Check(GanPresets.Mirza(combinedLayer: true), null, 784, 10, (101 * 200) + (11 * 1000) + (1201 * 1200) + (1201 * 784), Judge);
    }

    /// <summary>Batch normalization has two weights a channel; of 64 pixels, the generator's number is that of PyTorch's example, with a bias of 3.</summary>
    [TestMethod]
    public void Radford_ParameterCounts()
    {
        Check(GanPresets.Radford(1, 28), new ImageShape(1, 28, 28), 784, 0, 627_200 + 256 + 131_072 + 128 + 1025, 1088 + 131_072 + 256 + 6273);
        Check(GanPresets.Radford(3, 32), new ImageShape(3, 32, 32), 3072, 0, 409_600 + 512 + 524_288 + 256 + 131_072 + 128 + 3075, 3136 + 131_328 + 524_800 + 4097);
        Check(GanPresets.Radford(3, 64), new ImageShape(3, 64, 64), 12_288, 0, 3_576_704 + 3, 3136 + 131_328 + 524_800 + 2_098_176 + 8193);
    }

    [TestMethod]
    public void Convolutional_ParameterCounts()
    {
        var image = new ImageShape(1, 28, 28);
        Check(GanPresets.Convolutional(1, 28), image, 784, 0, 200_704 + 128 + 32_768 + 64 + 513, 544 + 32_832 + 401_536 + 129);
        Check(GanPresets.Convolutional(1, 28, conditional: true), image, 784, 10, 320 + 301_056 + 128 + 32_768 + 64 + 513, 544 + 32_832 + 401_536 + 129 + 1280);
    }

    [TestMethod]
    public void LinearSchedule_FallsToZeroAfterItsHold()
    {
        var schedule = LearningRateSchedule.Linear(holdFraction: 0.5);
        foreach (var (epoch, factor) in new[] { (0.0, 1.0), (5, 1), (6, 0.8), (7.5, 0.5), (10, 0) })
            Assert.AreEqual(factor, schedule.Factor(epoch, 10), 1e-12, $"{epoch}");
    }

    private static void Check(GanNetworks networks, ImageShape? image, int size, int classes, long generator, long discriminator)
    {
        var ml = new MLContext(1);
        var schema = SchemaDefinition.Create(typeof(Sample));
        schema[nameof(Sample.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, size);
        schema[nameof(Sample.Class)].ColumnType = new KeyDataViewType(typeof(uint), Math.Max(1, classes));
        var options = new GanEstimator.Options { Networks = networks, ImageShape = image, LabelColumnName = classes > 0 ? nameof(Sample.Class) : null };
        var design = GanDesign.Of(options, ml.Data.LoadFromEnumerable(new List<Sample>(), schema));
        Assert.AreEqual(generator, design.Generator.ParameterCount);
        Assert.AreEqual(discriminator, design.Discriminator.ParameterCount);
        foreach (var architecture in new NetworkArchitecture[] { design.Generator, design.Discriminator })
        {
            using var module = architecture.CreateModule();
            Assert.AreEqual(architecture.ParameterCount, module.parameters().Sum(parameter => parameter.numel()));
        }
    }

    private sealed class Sample
    {
        public float[] Features { get; set; } = [];

        public uint Class { get; set; }
    }
}
