using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>What transformers can do besides transforming data: every method that computes with the networks.</summary>
internal static class ModelUse
{
    /// <summary>Calls all of them, with seeds where there is something to draw.</summary>
    public static float[] Of(ITransformer transformer)
    {
        switch (transformer)
        {
            case RbmTransformer machines:
                var visible = Enumerable.Repeat(0.5f, machines.Layers[0].Architecture.InputCount).ToArray();
                return [.. machines.Reconstruct(visible), .. machines.Sample(2, 3, seed: 1).SelectMany(row => row), .. machines.Sample([visible], 2, seed: 1)[0], .. machines.GetWeights()[0]];
            case EmbeddingTransformer embedding:
                return embedding.Embed(Enumerable.Repeat(0.5f, embedding.Model.Architecture.InputCount).ToArray());
            case AutoencoderTransformer autoencoder:
                var features = Enumerable.Repeat(0.5f, autoencoder.Architecture.InputCount).ToArray();
                return [.. autoencoder.Encode(features), .. autoencoder.Decode(autoencoder.Encode(features)), .. autoencoder.Reconstruct(features)];
            case LstmForecastingTransformer forecaster:
                return forecaster.Forecast([100, 110, 90]);
            case LanguageModelTransformer language:
                var text = language.GenerateText("r", new GenerationOptions { MaximumTokens = 5, Seed = 1 });
                return [.. text.Select(character => (float)character)];
            case SequenceToSequenceTransformer network:
                var answers = network.Answers("rxyz", new DecodingOptions { BeamWidth = 2, NumberOfAnswers = 2, LengthPenalty = 0 });
                var drawn = string.Concat(network.Generate("gx", new DecodingOptions { Temperature = 1, MaximumTokens = 5, Seed = 1 }));
                return [.. answers.Select(answer => (float)answer.LogProbability), .. network.Attention("rx", "x").Weights.SelectMany(row => row), .. drawn.Select(character => (float)character)];
            case QuatrainTransformer poet:
                return [.. poet.Write("紅").Select(character => (float)character)];
            case AdaptiveStyleTransferTransformer style:
                return style.Decoder.GetWeights("layers.0.weight");
            case GanTransformer gan:
                var (noise, label) = (gan.DrawNoise(2, seed: 1), gan.ClassNames?[0]);
                return [.. gan.Sample(noise[0], label), .. gan.Interpolate(noise[0], noise[1], 3, label).SelectMany(sample => sample), .. Outcome.Values(gan.Generate(3, seed: 1), gan.OutputColumnName)];
            case InpaintingTransformer or DiscriminatorFeaturesTransformer or FastStyleTransferTransformer:
                return new TrainedModel(transformer).Networks.SelectMany(applied => applied.GetWeights(applied.WeightShapes.Keys.First())).ToArray();
            case NetworkTransformer network:
                return network.Model.GetWeights(network.Model.WeightShapes.Keys.First());
            default:
                throw new ArgumentException($"The contract does not know what a {transformer.GetType().Name} can do.", nameof(transformer));
        }
    }
}
