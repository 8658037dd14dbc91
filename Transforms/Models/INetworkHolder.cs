namespace MLExtensions.Models;

/// <summary>A transformer with trained networks in it, which another training can start from.</summary>
internal interface INetworkHolder
{
    IInitialWeights InitialWeights { get; }
}
