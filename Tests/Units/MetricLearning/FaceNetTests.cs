using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>FaceNet's NN1 is the network of the paper's table.</summary>
[TestClass]
public sealed class FaceNetTests
{
    private const int Side = 220;

    /// <summary>Size of the output, weights and multiply-adds as the table rounds them (Schroff et al., 2015, table 1).</summary>
    [TestMethod]
    [DataRow("conv1", "64 x 110 x 110", 9e3, 115e6)]
    [DataRow("pool1", "64 x 55 x 55", 0, 0)]
    [DataRow("rnorm1", "64 x 55 x 55", 0, 0)]
    [DataRow("conv2a", "64 x 55 x 55", 4e3, 13e6)]
    [DataRow("conv2", "192 x 55 x 55", 111e3, 335e6)]
    [DataRow("rnorm2", "192 x 55 x 55", 0, 0)]
    [DataRow("pool2", "192 x 28 x 28", 0, 0)]
    [DataRow("conv3a", "192 x 28 x 28", 37e3, 29e6)]
    [DataRow("conv3", "384 x 28 x 28", 664e3, 521e6)]
    [DataRow("pool3", "384 x 14 x 14", 0, 0)]
    [DataRow("conv4a", "384 x 14 x 14", 148e3, 29e6)]
    [DataRow("conv4", "256 x 14 x 14", 885e3, 173e6)]
    [DataRow("conv5a", "256 x 14 x 14", 66e3, 13e6)]
    [DataRow("conv5", "256 x 14 x 14", 590e3, 116e6)]
    [DataRow("conv6a", "256 x 14 x 14", 66e3, 13e6)]
    [DataRow("conv6", "256 x 14 x 14", 590e3, 116e6)]
    [DataRow("pool4", "256 x 7 x 7", 0, 0)]
    [DataRow("fc1", "4096", 103e6, 103e6)]
    [DataRow("fc2", "4096", 34e6, 34e6)]
    [DataRow("fc7128", "128", 524e3, 0.5e6)]
    public void Layer_IsThatOfTheTable(string name, string output, double weights, double work)
    {
        var placed = Create(CnnLayers.FaceNet()).Leaves.Single(leaf => leaf.Site.Path == name);
        Assert.AreEqual(output, placed.Output.ToString());
        var count = placed.Layer.ParameterCount(placed.Input, placed.Site);
        Assert.AreEqual(weights, count, weights >= 1e6 ? 5e5 : 500);
        // The table counts biases at every position, too.
        Assert.AreEqual(work, count * (placed.Output.IsVector ? 1 : placed.Output.Height * placed.Output.Width), work >= 1e6 ? 5e5 : 5e4);
    }

    [TestMethod]
    public void TheWhole_IsThatOfTheTable()
    {
        var network = Create(CnnLayers.FaceNet());
        network.Check();
        Assert.AreEqual(140_025_664, network.ParameterCount);
        Assert.AreEqual(1.6e9, network.MultiplyAdds, 0.05e9);
        Assert.AreEqual(20 + 11, network.Leaves.Count(), "a function after each of the 11 convolutions");
    }

    /// <summary>The same layers with few filters and units.</summary>
    [TestMethod]
    public void ReducedCopy_ComputesEmbeddings()
    {
        TorchRuntime.Initialize();
        var network = Create(CnnLayers.FaceNet().Select(Reduce).ToArray());
        using var scope = NewDisposeScope();
        using var module = network.CreateModule();
        Assert.AreEqual(network.ParameterCount, module.parameters().Sum(parameter => parameter.numel()));
        using var generator = new Generator(1); // always the same: few filters may all be silent
        foreach (var parameter in module.parameters())
            parameter.detach().normal_(0, parameter.dim() > 1 ? Math.Sqrt(2.0 / (parameter.numel() / parameter.shape[0])) : 0, generator);
        module.eval();
        var outputs = module.call(rand(2, network.InputCount, generator: generator));
        CollectionAssert.AreEqual(new long[] { 2, 128 }, outputs.shape);
        Assert.IsTrue(outputs.isfinite().all().item<bool>() && outputs.std().item<float>() > 1e-3);
        Assert.AreNotEqual(outputs[0][0].item<float>(), outputs[1][0].item<float>(), 1e-6);

        static ImageLayer Reduce(ImageLayer layer) => layer switch
        {
            ConvolutionLayer convolution => convolution with { Filters = convolution.Filters / 8 },
            MaxoutLayer maxout => maxout with { Units = maxout.Units / 256 },
            _ => layer,
        };
    }

    [TestMethod]
    [DataRow(220, 220, true)]
    [DataRow(224, 193, true)]
    [DataRow(225, 220, false)]
    [DataRow(220, 192, false)]
    public void OtherSizes_AreRefused(int height, int width, bool fits)
    {
        var input = new ImageInput(new ImageShape(3, height, width));
        if (fits)
        {
            Assert.AreEqual(140_025_664, ImageTrunk.FaceNet().CreateArchitecture(input, 128).ParameterCount);
            return;
        }
        var e = Assert.ThrowsExactly<ArgumentException>(() => ImageTrunk.FaceNet().CreateArchitecture(input, 128));
        StringAssert.Contains(e.Message, $"220 x 220 pixels, with sides from 193 to 224; these are {height} x {width} (height x width)");
        StringAssert.Contains(e.Message, "smallImages: true");
    }

    /// <summary>The size of the column is seen before any row is read.</summary>
    [TestMethod]
    public void OtherSizesOfAColumn_AreRefused()
    {
        var ml = new MLContext(1);
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3, 56, 46);
        var data = ml.Data.LoadFromEnumerable(Rows(), schema);
        var e = Assert.ThrowsExactly<ArgumentException>(() => ml.MetricLearning.Trainers.Image(trunk: ImageTrunk.FaceNet()).Fit(data));
        StringAssert.Contains(e.Message, "these are 56 x 46");

        static IEnumerable<Row> Rows()
        {
            Assert.Fail("A row was read.");
            yield break;
        }
    }

    private static CnnArchitecture Create(IReadOnlyList<ImageLayer> layers) => Images.KnownNetworks.Cnn(layers, new ImageShape(3, Side, Side), 128);

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        [KeyType(3)]
        public uint Label { get; set; }
    }
}
