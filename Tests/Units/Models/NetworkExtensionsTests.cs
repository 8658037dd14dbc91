using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Models;

/// <summary>The networks of a pipeline are found without casts, and describe themselves, in every family.</summary>
[TestClass]
public sealed class NetworkExtensionsTests
{
    private static readonly MLContext Ml = new(1);

    private static readonly IEstimator<ITransformer> Bare = Ml.Transforms.CopyColumns("Copy", nameof(Example.Features));

    /// <summary>What the table adds up to is what the network has, and its names are those of the weights.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void Summary_OfEveryFamily_CountsItsWeights(string name)
    {
        var subject = Subjects.Training(name);
        using var model = subject.Fit(subject.Rows(40), o => o.Epochs = 1);
        var summary = model.Transformer.Summary();
        foreach (var network in model.Transformer.Networks())
        {
            Assert.Contains(network.Summary(), summary);
            var layers = network.Architecture.Describe().ToArray();
            Assert.AreEqual(network.Architecture.ParameterCount, layers.Sum(layer => layer.Parameters), summary);
            Assert.AreEqual(network.Network.parameters().Sum(parameter => parameter.numel()), layers.Sum(layer => layer.Parameters), summary);
            foreach (var layer in layers.Where(layer => layer.Parameters > 0))
                Assert.IsTrue(network.WeightShapes.Keys.Any(weights => weights == layer.Name || weights.StartsWith(layer.Name + ".")), $"{layer.Name}{Environment.NewLine}{summary}");
        }
        CollectionAssert.AreEqual(model.Networks.ToArray(), model.Transformer.Networks().Except(model.Untrained).ToArray());
    }

    [TestMethod]
    public void Summary_OfAPerceptron_ExactText()
    {
        var architecture = new MlpArchitecture
        {
            InputCount = 4,
            OutputCount = 3,
            InputDropout = 0.2,
            HiddenLayers = [new MlpLayer(8, Activation.Tanh, 0.5, BatchNormalization: true), new MlpLayer(2, Activation.PReLU)],
        };
        const string Expected = """
            layer             kind                       output  parameters  multiply-adds
            input_dropout     dropout 0.2                4
            hidden.0.linear   dense                      8               40             32
            hidden.0.norm     batch normalization, Tanh  8               16
            hidden.0.dropout  dropout 0.5                8
            hidden.1.linear   dense                      2               18             16
            hidden.1.prelu    PReLU                      2                1
            output            dense                      3                9              6
            total                                        3               84             54

            """;
        Assert.AreEqual(Expected.ReplaceLineEndings(), architecture.Summary());
    }

    [TestMethod]
    public void Summary_OfARecurrentNetwork_ExactText()
    {
        var architecture = new RecurrentArchitecture
        {
            InputCount = 6,
            OutputCount = 1,
            Input = new KeySequence(10) { MaximumLength = 5 },
            EmbeddingSize = 4,
            Recurrent = new RecurrentLayers(RecurrentCell.Gru, 3) { Bidirectional = true },
            Pooling = SequencePooling.Max,
        };
        const string Expected = """
            layer                kind              output  parameters  multiply-adds
            embedding            embedding         5 x 4           40
            recurrent.0          GRU               5 x 3           81            315
            recurrent.0_reverse  GRU, reversed     5 x 3           81            315
            pool                 max of the steps  6
            output               dense             1                7              6
            total                                  1              209            636

            """;
        Assert.AreEqual(Expected.ReplaceLineEndings(), architecture.Summary());
    }

    [TestMethod]
    public void Network_OfNestedAndLoadedChains_IsFound()
    {
        using var folder = new TemporaryFolder();
        var data = Subjects.Get("MlpMulticlass").View(Ml, 20);
        var inner = Bare.Append(Perceptron());
        var model = Bare.Append(inner).Append(Ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(data);
        var network = model.FindNetwork<MulticlassNetworkTransformer>();
        Assert.AreSame(network.Model, model.Network());
        Assert.AreSame(network.Model, network.Network());
        Assert.AreSame(network, model.FindNetwork<NetworkTransformer>());
        Ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        var loaded = Ml.Model.Load(folder.File("model.zip"), out _);
        using var owned = loaded as IDisposable;
        Assert.AreEqual(network.Summary(), loaded.Summary());
        Assert.AreEqual(network.History, loaded.Network().History);
    }

    [TestMethod]
    public void NoNetwork_SaysWhatThereIs()
    {
        var model = Bare.Append(Ml.Transforms.NormalizeMinMax(nameof(Example.Features))).Fit(Subjects.Get("MlpMulticlass").View(Ml, 20));
        foreach (var find in new Action[] { () => model.Network(), () => model.Summary(), () => model.FindNetwork<NetworkTransformer>() })
        {
            var message = Assert.ThrowsExactly<ArgumentException>(find).Message;
            Assert.Contains("ColumnCopyingTransformer, NormalizingTransformer", message);
        }
        Assert.IsEmpty(model.Networks());
        Assert.Contains("no transformers at all", Assert.ThrowsExactly<ArgumentException>(() => new TransformerChain<ITransformer>().Network()).Message);
    }

    [TestMethod]
    public void SeveralNetworks_SaysWhichThereAre()
    {
        var features = Ml.Transforms.Rbm(new RbmEstimator.Options { InputColumnName = "Unit", OutputColumnName = "Hidden", HiddenLayers = [3], Epochs = 1 });
        var chain = Ml.Transforms.NormalizeMinMax("Unit", nameof(Example.Features), fixZero: false).Append(features).Append(Perceptron());
        using var model = chain.Fit(Subjects.Get("MlpMulticlass").View(Ml, 20));
        var message = Assert.ThrowsExactly<ArgumentException>(() => model.Network()).Message;
        Assert.Contains("2 networks, in RbmTransformer, MulticlassNetworkTransformer", message);
        Assert.Contains("FindNetwork<T>()", message);
        Assert.HasCount(2, model.Networks());
        Assert.AreEqual(model.FindNetwork<RbmTransformer>().Histories[0], model.FindNetwork<RbmTransformer>().History);
        Assert.Contains("network 2 of 2", model.Summary());
        Assert.Contains("has 4 transformers", Assert.ThrowsExactly<ArgumentException>(() => new TransformerChain<ITransformer>(model, model.LastTransformer).FindNetwork<ITransformer>()).Message);
    }

    private static MlpMulticlassTrainer Perceptron() =>
        Ml.MulticlassClassification.Trainers.Mlp(new MlpMulticlassTrainer.Options { LabelColumnName = nameof(Example.Class), HiddenLayers = [4], Epochs = 1 });
}
