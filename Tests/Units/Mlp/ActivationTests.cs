using MLExtensions.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Mlp;

[TestClass]
[TestCategory("Heart")]
public sealed class ActivationTests
{
    private static readonly Dictionary<Activation, Func<nn.Module<Tensor, Tensor>>> Modules = new()
    {
        [Activation.Identity] = () => nn.Identity(),
        [Activation.Sigmoid] = () => nn.Sigmoid(),
        [Activation.Tanh] = () => nn.Tanh(),
        [Activation.ReLU] = () => nn.ReLU(),
        [Activation.LeakyReLU] = () => nn.LeakyReLU(0.01),
        [Activation.PReLU] = () => nn.PReLU(1),
        [Activation.ELU] = () => nn.ELU(),
        [Activation.Softplus] = () => nn.Softplus(),
        [Activation.Softsign] = () => nn.Softsign(),
        [Activation.GELU] = () => nn.GELU(),
    };

    public static IEnumerable<object[]> All => Enum.GetValues<Activation>().Select(activation => new object[] { activation });

    [TestMethod]
    [DynamicData(nameof(All))]
    public void Network_IsLinearModuleLinear(Activation activation)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = Create(activation, batchNormalization: false);
        var state = network.state_dict();
        var x = linspace(-4, 4, 12).reshape(4, 3);
        var hidden = nn.functional.linear(x, state["hidden.0.linear.weight"], state["hidden.0.linear.bias"]);
        var expected = nn.functional.linear(Modules[activation]().call(hidden), state["output.weight"], state["output.bias"]);
        Assert.AreEqual(0, (expected - network.call(x)).abs().max().item<float>(), 1e-6);
    }

    [TestMethod]
    [DynamicData(nameof(All))]
    public void Formula_IsTheDocumentedOne(Activation activation)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach (var x in new[] { -3.0, -0.5, 0, 0.5, 3 })
        {
            var input = tensor(new[] { x });
            var y = activation == Activation.PReLU ? nn.PReLU(1).to(ScalarType.Float64).call(input) : activation.Apply(input);
            Assert.AreEqual(Formula(activation, x), y.item<double>(), 1e-12, $"{activation}({x})");
        }
    }

    /// <summary>Back-propagation against finite differences, in double precision, of every task's loss.</summary>
    [TestMethod]
    [DynamicData(nameof(All))]
    public void Gradients_AreFiniteDifferences(Activation activation)
    {
        foreach (var batchNormalization in new[] { false, true })
        {
            using var scope = NewDisposeScope();
            var network = Create(activation, batchNormalization);
            network.to(ScalarType.Float64);
            network.train();
            using var generator = new Generator(3);
            var x = randn(7, 3, ScalarType.Float64, generator: generator);
            var labels = tensor(new double[] { 0, 1, 1, 0, 1, 0, 1 });
            var weights = tensor(new double[] { 1, 2, 0.5, 1, 1, 0, 1.5 });
            foreach (var loss in new Func<Tensor, Tensor>[]
            {
                y => new Supervised.MulticlassTask().Loss(y, labels, weights),
                y => new Supervised.BinaryTask().Loss(y.narrow(1, 0, 1), labels, weights),
                y => new Supervised.RegressionTask().Loss(y.narrow(1, 1, 1), labels, null),
            })
            {
                CheckGradients(network, () => loss(network.call(x.clone())));
            }
        }
    }

    private static void CheckGradients(nn.Module<Tensor, Tensor> network, Func<Tensor> loss)
    {
        const double Step = 1e-6;
        network.zero_grad();
        loss().backward();
        foreach (var (name, parameter) in network.named_parameters())
        {
            var flat = parameter.detach().view(-1);
            var gradient = parameter.grad?.view(-1);
            for (var i = 0; i < flat.shape[0]; i++)
            {
                var value = flat[i].item<double>();
                double At(double shifted)
                {
                    using var noGradient = no_grad();
                    flat[i] = tensor(shifted);
                    return loss().item<double>();
                }
                var difference = (At(value + Step) - At(value - Step)) / (2 * Step);
                At(value);
                Assert.AreEqual(difference, gradient is null ? 0 : gradient[i].item<double>(), 1e-7, $"{name}[{i}]");
            }
        }
    }

    private static nn.Module<Tensor, Tensor> Create(Activation activation, bool batchNormalization)
    {
        var network = new MlpArchitecture { InputCount = 3, OutputCount = 2, HiddenLayers = [new MlpLayer(4, activation, 0, batchNormalization)] }.CreateModule();
        WeightInitializer.Initialize(network, WeightInitialization.XavierNormal, 5);
        return network;
    }

    private static double Formula(Activation activation, double x) => activation switch
    {
        Activation.Identity => x,
        Activation.Sigmoid => 1 / (1 + Math.Exp(-x)),
        Activation.Tanh => Math.Tanh(x),
        Activation.ReLU => Math.Max(0, x),
        Activation.LeakyReLU => x > 0 ? x : 0.01 * x,
        Activation.PReLU => x > 0 ? x : 0.25 * x,
        Activation.ELU => x > 0 ? x : Math.Exp(x) - 1,
        Activation.Softplus => Math.Log(1 + Math.Exp(x)),
        Activation.Softsign => x / (1 + Math.Abs(x)),
        Activation.GELU => x * (1 + special.erf(tensor(new[] { x / Math.Sqrt(2) })).item<double>()) / 2,
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };
}
