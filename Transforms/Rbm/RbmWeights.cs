using MLExtensions.Heads;
using MLExtensions.Models;
using static TorchSharp.torch;

namespace MLExtensions.Rbm;

/// <summary>
/// Hands the weights of trained machines over to other networks: a perceptron's hidden layers, or the encoder of an autoencoder and, transposed,
/// its decoder (Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", 2006).
/// </summary>
internal sealed class RbmWeights(IReadOnlyList<NetworkModelParameters> layers) : IInitialWeights
{
    public NetworkArchitecture Architecture => layers[0].Architecture;

    public PredictionHead? Head => null;

    public bool LacksOutput => true;

    /// <summary>The weights of each machine, for a training that goes on with it.</summary>
    public IReadOnlyList<IInitialWeights> Layers => layers;

    public IReadOnlyDictionary<string, Tensor> WeightsFor(NetworkArchitecture architecture) => architecture switch
    {
        MlpArchitecture => ForPerceptron(),
        _ => ((IInitialWeights)layers[0]).WeightsFor(architecture),
    };

    private Dictionary<string, Tensor> ForPerceptron()
    {
        var weights = new Dictionary<string, Tensor>();
        for (var i = 0; i < layers.Count; i++)
        {
            var machine = layers[i].Network.state_dict();
            weights.Add($"hidden.{i}.linear.weight", machine["weight"]);
            weights.Add($"hidden.{i}.linear.bias", machine["hidden_bias"]);
        }
        return weights;
    }
}
