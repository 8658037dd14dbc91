using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Mlp;

[TestClass]
public sealed class MlpOptionsTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Architecture_LayersTakeTheOptionsUnlessTheySayOtherwise()
    {
        var architecture = (MlpArchitecture)Fit(new MlpMulticlassTrainer.Options
        {
            HiddenLayers = [5, new HiddenLayer(7) { Activation = Activation.PReLU, Dropout = 0, BatchNormalization = true }],
            Activation = Activation.Tanh,
            Dropout = 0.25,
            InputDropout = 0.1,
        }).Architecture;
        Assert.AreEqual(6, architecture.InputCount);
        Assert.AreEqual(3, architecture.OutputCount);
        Assert.AreEqual(0.1, architecture.InputDropout);
        CollectionAssert.AreEqual(new[] { new MlpLayer(5, Activation.Tanh, 0.25), new MlpLayer(7, Activation.PReLU, 0, true) }, architecture.HiddenLayers.ToArray());
    }

    [TestMethod]
    public void ParameterCount_IsWhatTheNetworkHas()
    {
        var model = Fit(new MlpMulticlassTrainer.Options { HiddenLayers = [5, new HiddenLayer(7) { Activation = Activation.PReLU, BatchNormalization = true }] });
        const int Expected = ((6 + 1) * 5) + ((5 + 1) * 7) + (2 * 7) + 1 + ((7 + 1) * 3);
        Assert.AreEqual(Expected, model.Architecture.ParameterCount);
        // Beside the parameters there are the running mean, the running variance and the count of batches.
        Assert.AreEqual(Expected + 7 + 7 + 1, model.WeightShapes.Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size)));
    }

    [TestMethod]
    public void ShortOverload_Defaults()
    {
        var data = Example.View(Ml, Example.Create(20));
        Assert.AreEqual(new MlpLayer(256), Layers(null).Single());
        Assert.IsEmpty(Layers([]));
        CollectionAssert.AreEqual(new[] { new MlpLayer(4), new MlpLayer(3) }, Layers([4, 3]).ToArray());

        IReadOnlyList<MlpLayer> Layers(int[]? hidden) =>
            ((MlpArchitecture)Ml.Regression.Trainers.Mlp(nameof(Example.Target), hiddenLayers: hidden, epochs: 1).Fit(data).Model.Architecture).HiddenLayers;
    }

    [TestMethod]
    public void BadOptions_AreNamed()
    {
        (string Expected, Action<MlpOptions> Set)[] bad =
        [
            ("HiddenLayers[1].Units is 0", o => o.HiddenLayers = [4, 0]),
            ("HiddenLayers[0].Dropout is 1", o => o.HiddenLayers = [new HiddenLayer(4) { Dropout = 1 }]),
            ("HiddenLayers[0].Activation is 77", o => o.HiddenLayers = [new HiddenLayer(4) { Activation = (Activation)77 }]),
            ("HiddenLayers[1]", o => o.HiddenLayers = [4, null!]),
            ("HiddenLayers", o => o.HiddenLayers = null!),
            ("Activation is 77", o => o.Activation = (Activation)77),
            ("Dropout is -0.1", o => o.Dropout = -0.1),
            ("InputDropout is 1", o => o.InputDropout = 1),
            ("BatchSize is 1", o => (o.BatchSize, o.BatchNormalization) = (1, true)),
        ];
        foreach (var (expected, set) in bad)
        {
            var options = new MlpBinaryTrainer.Options();
            set(options);
            Assert.Contains(expected, Assert.Throws<ArgumentException>(() => Ml.BinaryClassification.Trainers.Mlp(options)).Message);
        }
    }

    [TestMethod]
    public void LayersChangedAfterwards_HaveNoEffect()
    {
        var layers = new List<HiddenLayer> { 4 };
        var trainer = Ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { HiddenLayers = layers, LabelColumnName = nameof(Example.Target), Epochs = 1 });
        layers.Add(5);
        Assert.HasCount(1, ((MlpArchitecture)trainer.Fit(Example.View(Ml, Example.Create(20))).Model.Architecture).HiddenLayers);
    }

    [TestMethod]
    public void BatchNormalization_LeavesALastRowOut()
    {
        int ExamplesOf(bool normalization) => (int)Fit(new MlpMulticlassTrainer.Options { HiddenLayers = [4], BatchSize = 10, BatchNormalization = normalization }, rows: 31).History.Epochs[0].Examples;
        Assert.AreEqual(30, ExamplesOf(true));
        Assert.AreEqual(31, ExamplesOf(false));
        var error = Assert.Throws<ArgumentException>(() => Fit(new MlpMulticlassTrainer.Options { BatchNormalization = true }, rows: 1));
        Assert.Contains("at least 2 rows", error.Message);
    }

    [TestMethod]
    public void GetWeights_UnknownName_ListsTheNames()
    {
        var model = Fit(new MlpMulticlassTrainer.Options { HiddenLayers = [4] });
        Assert.Contains("hidden.0.linear.weight", Assert.Throws<ArgumentException>(() => model.GetWeights("weight")).Message);
        CollectionAssert.AreEqual(new long[] { 4, 6 }, model.WeightShapes["hidden.0.linear.weight"].ToArray());
    }

    private static NetworkModelParameters Fit(MlpMulticlassTrainer.Options options, int rows = 40)
    {
        options.LabelColumnName = nameof(Example.Class);
        options.Epochs = 1;
        return Ml.MulticlassClassification.Trainers.Mlp(options).Fit(Example.View(Ml, Example.Create(rows))).Model;
    }
}
