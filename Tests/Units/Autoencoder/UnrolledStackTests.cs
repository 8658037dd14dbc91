using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Tests.Contract;
using TorchSharp;

namespace MLExtensions.Tests.Autoencoder;

/// <summary>An autoencoder that starts as a stack of restricted Boltzmann machines, unrolled.</summary>
[TestClass]
public sealed class UnrolledStackTests
{
    private const VisibleUnitType Binary = VisibleUnitType.Bernoulli;
    private static readonly MLContext Ml = new(1);

    /// <summary>Up and down through the machines by their means is what the unrolled network computes.</summary>
    [TestMethod]
    [DataRow(VisibleUnitType.Bernoulli, HiddenUnitType.Bernoulli, AutoencoderOutput.Bernoulli, Activation.Sigmoid)]
    [DataRow(VisibleUnitType.Bernoulli, HiddenUnitType.Gaussian, AutoencoderOutput.Bernoulli, Activation.Identity)]
    [DataRow(VisibleUnitType.Gaussian, HiddenUnitType.ReLU, AutoencoderOutput.Gaussian, Activation.ReLU)]
    public void NoEpochs_ReconstructsAsTheStackDoes(VisibleUnitType visible, HiddenUnitType top, AutoencoderOutput output, Activation code)
    {
        using var stack = Stack((8, visible), (6, HiddenUnitType.Bernoulli), (5, HiddenUnitType.Bernoulli), (3, top));
        using var model = Unroll(stack);
        Assert.AreEqual(output, model.Architecture.Output);
        CollectionAssert.AreEqual(
            new AutoencoderLayer[] { new(6, Activation.Sigmoid), new(5, Activation.Sigmoid), new(3, code) },
            model.Architecture.EncoderLayers.ToArray());
        var rows = AutoencoderSample.Create(50);
        var codes = AutoencoderSample.Column(stack.Transform(AutoencoderSample.View(rows)), "Code");
        for (var i = 0; i < rows.Length; i++)
        {
            Outcome.AssertClose(codes[i], model.Encode(rows[i].Features), 1e-6);
            Outcome.AssertClose(stack.Reconstruct(rows[i].Features), model.Reconstruct(rows[i].Features), 1e-6);
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void FineTuning_GetsBetterThanTheStack()
    {
        using var stack = Stack((8, Binary), (16, HiddenUnitType.Bernoulli), (2, HiddenUnitType.Gaussian));
        var chain = new TransformerChain<ITransformer>(Ml.Transforms.CopyColumns("Copy", "Features").Fit(AutoencoderSample.View(1)), stack);
        var data = AutoencoderSample.View(200);
        using var start = Unroll(chain);
        using var tuned = Unroll(chain, o => o.Epochs = 20);
        Floor.Below(0.5, tuned.ReconstructionError(data) / start.ReconstructionError(data));
        Assert.IsFalse(Outcome.SameBits(tuned.Model.GetWeights("encoder.0.weight"), stack.Layers[0].GetWeights("weight")));
        Outcome.AssertSameBits(start.Model.GetWeights("encoder.0.weight"), stack.Layers[0].GetWeights("weight"));
    }

    [TestMethod]
    public void OtherShape_IsRefusedByName()
    {
        using var stack = Stack((8, Binary), (6, HiddenUnitType.Bernoulli), (3, HiddenUnitType.Bernoulli));
        AssertRefused("InitialModel unrolls to 8 Bernoulli - 6 Sigmoid - 3 Sigmoid, but column and options ask for 8 Bernoulli - 7 Sigmoid - 3 Sigmoid", o => o.HiddenLayers = [7]);
        AssertRefused("8 Bernoulli - 6 ReLU - 3 Sigmoid", o => o.Activation = Activation.ReLU);
        AssertRefused("8 Bernoulli - 6 Sigmoid - 3 Identity", o => o.LatentActivation = Activation.Identity);
        AssertRefused("8 Gaussian - 6 Sigmoid - 3 Sigmoid", o => o.Output = AutoencoderOutput.Gaussian);
        AssertRefused("8 Bernoulli - 6 Sigmoid - 2 Sigmoid", o => o.LatentSize = 2);
        AssertRefused("8 Bernoulli - 4 Sigmoid - 6 ReLU - 3 Sigmoid", o => o.HiddenLayers = [4, 6]);
        using var same = Unroll(stack, o => (o.HiddenLayers, o.LatentSize, o.Activation, o.LatentActivation, o.Output) = ([6], 3, Activation.Sigmoid, Activation.Sigmoid, AutoencoderOutput.Bernoulli));
        using var wide = Stack((9, Binary), (6, HiddenUnitType.Bernoulli));
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Unroll(wide)).Message, "unrolls to 9 Bernoulli - 6 Sigmoid, but column and options ask for 8 Bernoulli");
        using var words = Stack((8, VisibleUnitType.Softmax), (6, HiddenUnitType.Bernoulli));
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Unroll(words)).Message, "Softmax units");

        void AssertRefused(string message, Action<AutoencoderEstimator.Options> change) =>
            StringAssert.Contains(Assert.Throws<ArgumentException>(() => Unroll(stack, change)).Message, message);
    }

    [TestMethod]
    public void Tensors_DoNotLeak()
    {
        using var stack = Stack((8, Binary), (6, HiddenUnitType.Bernoulli));
        Unroll(stack).Dispose();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Unroll(stack).Dispose();
        Unroll(stack, o => o.Epochs = 1).Dispose();
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    private static AutoencoderTransformer Unroll(ITransformer stack, Action<AutoencoderEstimator.Options>? change = null)
    {
        var options = new AutoencoderEstimator.Options { InitialModel = stack, Epochs = 0, LearningRate = 0.01 };
        change?.Invoke(options);
        return new MLContext(TestSeed.Of(1)).Transforms.Autoencoder(options).Fit(AutoencoderSample.View(200));
    }

    /// <summary>Machines with weights drawn at random; between two of them the units are Bernoulli units.</summary>
    private static RbmTransformer Stack((int Count, VisibleUnitType Units) visible, params (int Count, HiddenUnitType Units)[] hidden)
    {
        var (count, units) = visible;
        var layers = new List<NetworkModelParameters>();
        foreach (var (outputs, kind) in hidden)
        {
            layers.Add(Machine(count, units, outputs, kind, seed: (ulong)layers.Count));
            (count, units) = (outputs, Binary);
        }
        return new RbmTransformer(Ml, layers, new RbmColumnNames("Code", "Features", null, null), RbmOutput.Means, seed: 1);
    }

    private static NetworkModelParameters Machine(int inputs, VisibleUnitType visible, int outputs, HiddenUnitType hidden, ulong seed)
    {
        using var scope = torch.NewDisposeScope();
        using var generator = new torch.Generator(seed + (ulong)TestSeed.Of(0));
        var architecture = new RbmArchitecture
        {
            InputCount = inputs,
            OutputCount = outputs,
            VisibleUnits = visible,
            HiddenUnits = hidden,
            SoftmaxGroups = visible == VisibleUnitType.Softmax ? [inputs] : [],
        };
        var network = architecture.CreateModule();
        using (torch.no_grad())
        {
            foreach (var parameter in network.parameters())
                parameter.normal_(0, 1, generator);
        }
        network.DetachFromDisposeScope();
        var history = new TrainingHistory { Epochs = [], StopReason = StopReason.Epochs, Seed = 1, ThreadCount = 1, Device = "cpu", Precision = "float32" };
        return new NetworkModelParameters(Ml, architecture, head: null, network, history);
    }
}
