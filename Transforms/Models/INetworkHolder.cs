namespace MLExtensions.Models;

/// <summary>A transformer with a trained network in it, which another training can start from.</summary>
internal interface INetworkHolder
{
    NetworkModelParameters Model { get; }
}
