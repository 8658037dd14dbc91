using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>What a training gave: a transformer and the networks in it.</summary>
internal sealed class TrainedModel(ITransformer transformer) : IDisposable
{
    public ITransformer Transformer => transformer;

    /// <summary>From the first that was trained to the last; most have one. A generator is followed by its discriminator, which was trained with it.</summary>
    public IReadOnlyList<NetworkModelParameters> Networks { get; } = transformer switch
    {
        NetworkTransformer network => [network.Model],
        RbmTransformer machines => machines.Layers,
        AutoencoderTransformer autoencoder => [autoencoder.Model],
        EmbeddingTransformer embedding => [embedding.Model],
        AdaptiveStyleTransferTransformer style => [style.Decoder],
        LanguageModelTransformer language => [language.Model],
        SequenceToSequenceTransformer network => [network.Model],
        QuatrainTransformer poet => [poet.Model],
        FastStyleTransferTransformer style => [style.Model],
        LstmForecastingTransformer forecaster => [forecaster.Model],
        GanTransformer gan => [gan.Generator, gan.Discriminator],
        InpaintingTransformer inpainting => [inpainting.Generator, inpainting.Discriminator],
        DiscriminatorFeaturesTransformer features => [features.Discriminator],
        _ => throw new ArgumentException($"The contract does not know where a {transformer.GetType().Name} has its networks.", nameof(transformer)),
    };

    /// <summary>Networks that were not trained but are saved with the others.</summary>
    public IReadOnlyList<NetworkModelParameters> Untrained { get; } = transformer is AdaptiveStyleTransferTransformer style ? [style.Encoder] : [];

    /// <summary>One a training: networks that were trained together share it.</summary>
    public IEnumerable<TrainingHistory> Histories => transformer switch
    {
        GanTransformer gan => [gan.History],
        InpaintingTransformer inpainting => [inpainting.Generator.History!],
        DiscriminatorFeaturesTransformer => [],
        _ => Networks.Select(network => network.History!),
    };

    public IDataView Transform(IDataView data) => transformer.Transform(data);

    public void Dispose() => ((IDisposable)transformer).Dispose();
}

/// <summary>Models that the tests of a class only read: each is trained when it is first asked for.</summary>
internal sealed class SharedModels(Func<string, TrainedModel> train) : IDisposable
{
    private readonly Dictionary<string, TrainedModel> _models = [];

    public TrainedModel Get(string name)
    {
        if (!_models.TryGetValue(name, out var model))
            _models.Add(name, model = train(name));
        return model;
    }

    public void Dispose()
    {
        foreach (var model in _models.Values)
            model.Dispose();
        _models.Clear();
    }
}
