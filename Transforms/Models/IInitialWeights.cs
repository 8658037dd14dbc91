using MLExtensions.Families.Forecasting;
using static TorchSharp.torch;

namespace MLExtensions.Models;

/// <summary>Where another training's first weights can come from.</summary>
internal interface IInitialWeights
{
    /// <summary>The architecture that the weights were trained in.</summary>
    NetworkArchitecture Architecture { get; }

    /// <summary>The head that they were trained with; null where there is none.</summary>
    PredictionHead? Head { get; }

    /// <summary>Whether a network may have an output layer that the weights know nothing of.</summary>
    bool LacksOutput { get; }

    /// <summary>The weights under the names and in the shapes of another network; where they don't fit it, under their own.</summary>
    IReadOnlyDictionary<string, Tensor> WeightsFor(NetworkArchitecture architecture);
}

/// <summary>A transformer with trained networks in it, which another training can start from.</summary>
internal interface INetworkHolder
{
    IInitialWeights InitialWeights { get; }
}
