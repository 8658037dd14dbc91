using MLExtensions.Models;
using MLExtensions.Families.Forecasting;
using static TorchSharp.torch;

namespace MLExtensions.Families.Rbm;

/// <summary>
/// Provides the weights of trained RBMs for other networks: for the hidden layers of a multilayer perceptron, or for the encoder of an
/// autoencoder and, transposed, its decoder (Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", 2006).
/// </summary>
internal sealed class RbmWeights(IReadOnlyList<NetworkModelParameters> layers) : IInitialWeights
{
    public NetworkArchitecture Architecture => layers[0].Architecture;

    public PredictionHead? Head => null;

    public bool LacksOutput => true;

    public NetworkLease Lease() => NetworkLease.Of(layers);

    /// <summary>The weights of each RBM, for a training that continues with it.</summary>
    public IReadOnlyList<IInitialWeights> Layers => layers;

    /// <summary>
    /// Returns the autoencoder that the RBMs unroll to. Between two RBMs, the hidden units of the lower one determine
    /// the type of the units.
    /// </summary>
    /// <exception cref="ArgumentException">An autoencoder has no output for the type of the visible units of the lowest RBM.</exception>
    public AutoencoderArchitecture Unroll()
    {
        var machines = layers.Select(layer => (RbmArchitecture)layer.Architecture).ToList();
        return new AutoencoderArchitecture
        {
            InputCount = machines[0].InputCount,
            OutputCount = machines[0].InputCount,
            EncoderLayers = machines.Select(machine => new AutoencoderLayer(machine.OutputCount, machine.HiddenActivation)).ToArray(),
            Output = OutputOf(machines[0].VisibleUnits),
        };
    }

    public IReadOnlyDictionary<string, Tensor> WeightsFor(NetworkArchitecture architecture) => architecture switch
    {
        MlpArchitecture => ForPerceptron(),
        AutoencoderArchitecture => ForAutoencoder(),
        _ => ((IInitialWeights)layers[0]).WeightsFor(architecture),
    };

    private static AutoencoderOutput OutputOf(VisibleUnitType units) => units switch
    {
        VisibleUnitType.Bernoulli => AutoencoderOutput.Bernoulli,
        VisibleUnitType.Gaussian => AutoencoderOutput.Gaussian,
        _ => throw new ArgumentException($"InitialModel is an RBM with visible {units} units; an autoencoder can start from {VisibleUnitType.Bernoulli} or {VisibleUnitType.Gaussian} units."),
    };

    private Dictionary<string, Tensor> ForPerceptron()
    {
        var weights = new Dictionary<string, Tensor>();
        for (var i = 0; i < layers.Count; i++)
        {
            var machine = layers[i].Network.state_dict();
            weights.Add(FormattableString.Invariant($"hidden.{i}.linear.weight"), machine["weight"]);
            weights.Add(FormattableString.Invariant($"hidden.{i}.linear.bias"), machine["hidden_bias"]);
        }
        return weights;
    }

    /// <summary>Unrolls the RBMs: the decoder uses the transposed weights of the encoder in reverse order.</summary>
    private Dictionary<string, Tensor> ForAutoencoder()
    {
        var weights = new Dictionary<string, Tensor>();
        for (var i = 0; i < layers.Count; i++)
        {
            var machine = layers[i].Network.state_dict();
            var down = layers.Count - 1 - i;
            weights.Add(FormattableString.Invariant($"encoder.{i}.weight"), machine["weight"]);
            weights.Add(FormattableString.Invariant($"encoder.{i}.bias"), machine["hidden_bias"]);
            weights.Add(FormattableString.Invariant($"decoder.{down}.weight"), machine["weight"].t());
            weights.Add(FormattableString.Invariant($"decoder.{down}.bias"), machine["visible_bias"]);
        }
        return weights;
    }
}
