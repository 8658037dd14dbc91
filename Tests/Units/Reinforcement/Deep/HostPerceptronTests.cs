using MLExtensions.Engine;
using MLExtensions.Families.Reinforcement;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Perceptrons in managed code against libtorch and its automatic differentiation.</summary>
[TestClass]
public sealed class HostPerceptronTests
{
    private const int Actions = 3;

    [TestMethod]
    [DataRow(Activation.ReLU, 64, 4)]
    [DataRow(Activation.Tanh, 7, 4)]
    [DataRow(Activation.Sigmoid, 100, 33)]
    [DataRow(Activation.ReLU, 1, 1)]
    [DataRow(Activation.ReLU, 128, 500)]
    public void ValuesAndGradients_AreThoseOfAutomaticDifferentiation(Activation activation, int rows, int inputs) =>
        Compare(Network(inputs, new DenseLayer(20), new ActivationLayer(activation), new DenseLayer(512), new ActivationLayer(activation), new DenseLayer(9), new DenseLayer()), rows, () => 0);

    /// <summary>Layers that change nothing, layers without biases, and two dense layers in a row.</summary>
    [TestMethod]
    public void LayersThatDoLess_CountAsWhatTheyDo()
    {
        var nothing = new ActivationLayer(Activation.Identity);
        Compare(Network(6, nothing, new DenseLayer(20), new ActivationLayer(), nothing, new DenseLayer(30) { Bias = false }, new ActivationLayer(Activation.Tanh), new DenseLayer(8), new DenseLayer()), 16, () => 0);
    }

    [TestMethod]
    public void NumberedStates_AreEntered()
    {
        var random = new Random(1);
        var architecture = Network(1, new DenseLayer(20), new ActivationLayer(), new DenseLayer()) with { StateCount = 40, FirstState = 2 };
        Compare(architecture, 16, () => random.Next(2, 42));
    }

    [TestMethod]
    public void Pixels_AreDivided()
    {
        var random = new Random(1);
        var image = new ImageShape(2, 3, 4);
        var architecture = Network((int)image.Count, new FlattenLayer(), new DenseLayer(20), new ActivationLayer(), new DenseLayer()) with { Image = image, InputDivisor = 255 };
        Compare(architecture, 16, () => random.Next(256));
    }

    [TestMethod]
    public void OtherNetworks_AreLeftToLibtorch()
    {
        Assert.IsTrue(IsFound(Network(4, new DenseLayer(512), new DenseLayer())), "as large as it may be");
        Assert.IsFalse(IsFound(Network(4, new DenseLayer(513), new DenseLayer())), "wide");
        Assert.IsFalse(IsFound(Network(4, new DenseLayer(8), new DenseLayer()), rows: 129), "many rows");
        Assert.IsFalse(IsFound(Network(4, new DenseLayer(8), new DropoutLayer(.5), new DenseLayer())), "dropout");
        Assert.IsFalse(IsFound(Network(4, new DenseLayer(8), new ActivationLayer(Activation.GELU), new DenseLayer())), "another function");
        Assert.IsFalse(IsFound(Network(4, new DenseLayer(8), new ActivationLayer(), new ActivationLayer(Activation.Tanh), new DenseLayer())), "two functions");
        Assert.IsFalse(IsFound(Network(4, new ActivationLayer(), new DenseLayer())), "a function first");
        Assert.IsFalse(IsFound(Network(4, new DenseLayer(8), new DenseLayer()), precision: Precision.BFloat16), "16 bits");
        Assert.IsFalse(IsFound(Network(4, new DenseLayer(8), new DenseLayer()), frozen: ["layers.0"]), "a frozen layer");
        var streams = Network(4, new DenseLayer(8)) with { ValueLayers = [new DenseLayer()], AdvantageLayers = [new DenseLayer()] };
        Assert.IsFalse(IsFound(streams), "two streams");

        static bool IsFound(ActionValueArchitecture architecture, int rows = 128, Precision precision = Precision.Float32, string[]? frozen = null)
        {
            using var network = Train(architecture, frozen);
            using var found = HostPerceptron.Find(network, rows, precision);
            return found != null;
        }
    }

    private static void Compare(ActionValueArchitecture architecture, int rows, Func<float> next)
    {
        using var network = Train(architecture);
        using var perceptron = HostPerceptron.Find(network, rows, Precision.Float32);
        Assert.IsNotNull(perceptron);
        using var scope = NewDisposeScope();
        using var states = new HostTensor<float>(rows, architecture.InputCount);
        using var gradients = new HostTensor<float>(rows, Actions);
        var random = new Random(2);
        var isNumber = architecture.StateCount != null || architecture.Image != null;
        foreach (ref var value in states.Values)
            value = isNumber ? next() : (random.NextSingle() * 2) - 1;
        foreach (ref var value in gradients.Values)
            value = (random.NextSingle() * 2) - 1;

        float[] ours = new float[rows * Actions], theirs = new float[rows * Actions];
        perceptron.Compute(states, ours);
        perceptron.Backward(gradients);
        var ourGradients = TensorMemory.Floats(network.Parameters.Gradients).ToArray();
        network.DiscardGradients();
        var torch = ActionValues.ByTorch(network, learns: true);
        torch.Compute(states, theirs);
        torch.Backward(gradients);
        AssertNear(theirs, ours);
        AssertNear(TensorMemory.Floats(network.Parameters.Gradients), ourGradients);
        Assert.IsTrue(ourGradients.Count(gradient => gradient != 0) > architecture.ParameterCount / 10, "there are gradients");
    }

    /// <summary>Relative to the largest value: float32 sums of up to a thousand terms.</summary>
    private static void AssertNear(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        var size = 0f;
        foreach (var value in expected)
            size = Math.Max(size, Math.Abs(value));
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], 2e-6f * size, $"{i}");
    }

    private static TrainedNetwork Train(ActionValueArchitecture architecture, string[]? frozen = null)
    {
        var options = new DqnEstimator.Options { FrozenLayers = frozen ?? [] };
        var module = architecture.CreateModule();
        WeightInitializer.Initialize(module, WeightInitialization.XavierUniform, seed: 1);
        using (no_grad())
        {
            foreach (var (name, parameter) in module.named_parameters().Where(entry => entry.parameter.dim() == 1))
                parameter.copy_(linspace(-.5, .5, parameter.shape[0], ScalarType.Float32, CPU));
        }
        return new TrainedNetwork("network", architecture, module, options.Optimization, seed: 1, CPU);
    }

    private static ActionValueArchitecture Network(int inputs, params ImageLayer[] layers) => new()
    {
        InputCount = inputs,
        OutputCount = Actions,
        StateCount = null,
        FirstState = 0,
        Image = null,
        InputDivisor = 1,
        Layers = layers,
        ValueLayers = [],
        AdvantageLayers = [],
    };
}
