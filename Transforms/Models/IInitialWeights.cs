using MLExtensions.Families.Forecasting;
using static TorchSharp.torch;

namespace MLExtensions.Models;

/// <summary>A source of initial weights for another training.</summary>
internal interface IInitialWeights
{
    /// <summary>The architecture of the trained network.</summary>
    NetworkArchitecture Architecture { get; }

    /// <summary>The head of the trained network; null if there is none.</summary>
    PredictionHead? Head { get; }

    /// <summary>Whether a network may have an output layer that these weights do not have.</summary>
    bool LacksOutput { get; }

    /// <summary>Returns the weights with the names and shapes of another network; weights that do not fit it keep their own.</summary>
    IReadOnlyDictionary<string, Tensor> WeightsFor(NetworkArchitecture architecture);
}

/// <summary>A transformer with trained networks that another training can start from.</summary>
internal interface INetworkHolder
{
    IInitialWeights InitialWeights { get; }
}
