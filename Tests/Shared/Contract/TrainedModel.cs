using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>What a training gave: a transformer and the networks in it.</summary>
internal sealed class TrainedModel(ITransformer transformer) : IDisposable
{
    public ITransformer Transformer => transformer;

    /// <summary>From the first that was trained to the last; most have one.</summary>
    public IReadOnlyList<NetworkModelParameters> Networks { get; } = transformer switch
    {
        NetworkTransformer network => [network.Model],
        RbmTransformer machines => machines.Layers,
        AutoencoderTransformer autoencoder => [autoencoder.Model],
        _ => throw new ArgumentException($"The contract does not know where a {transformer.GetType().Name} has its networks.", nameof(transformer)),
    };

    public IEnumerable<TrainingHistory> Histories => Networks.Select(network => network.History);

    public IDataView Transform(IDataView data) => transformer.Transform(data);

    public void Dispose() => ((IDisposable)transformer).Dispose();
}
