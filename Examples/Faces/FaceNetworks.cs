using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Faces;

/// <summary>The network of the faces, trained as embedding and as classifier.</summary>
internal static class FaceNetworks
{
    private const int EmbeddingSize = 64;
    private const double LearningRate = 1e-3;
    private const string LastBlock = "pool";

    private static readonly int[] Channels = [32, 64, 128, 128];

    /// <summary>Small changes of place, size, turn and light, and mirror images: with ten pictures of a person they matter most.</summary>
    private static readonly ImageAugmentation[] Augmentations =
    [
        new RandomFlip(),
        new RandomAffine { MaximumShift = 0.08, MinimumScale = 0.9, MaximumScale = 1.1 },
        new RandomRotation { MaximumDegrees = 8 },
        new RandomBrightness { MaximumDelta = 30 },
        new RandomContrast { Minimum = 0.8, Maximum = 1.2 },
    ];

    public static ImageEmbeddingEstimator.Options Embedding(int epochs, int? threads, int seed) => new()
    {
        FeatureColumnName = nameof(FaceImage.Pixels),
        Trunk = ImageTrunk.Cnn(Layers()),
        EmbeddingSize = EmbeddingSize,
        Augmentations = Augmentations,
        PixelScaling = PixelScaling.PerImageStandardization,
        TestTimeFlip = true,
        Epochs = epochs,
        LearningRate = LearningRate,
        LearningRateSchedule = new CosineSchedule(),
        ThreadCount = threads,
        Seed = seed,
    };

    public static CnnMulticlassTrainer.Options Classifier(int epochs, int? threads, int seed) => new()
    {
        FeatureColumnName = nameof(FaceImage.Pixels),
        Layers = Layers(),
        Augmentations = Augmentations,
        PixelScaling = PixelScaling.PerImageStandardization,
        Epochs = epochs,
        LearningRate = LearningRate,
        LearningRateSchedule = new CosineSchedule(),
        ThreadCount = threads,
        Seed = seed,
    };

    /// <summary>What a trained classifier computes before its last layer, as embeddings of length 1.</summary>
    public static IDataView BeforeLastLayer(MLContext mlContext, ITransformer classifier, IDataView data, string weightsPath)
    {
        var network = classifier.Network();
        network.SaveWeights(weightsPath);
        return mlContext.Transforms.ImageFeatures(new ImageFeaturesEstimator.Options
        {
            InputColumnName = nameof(FaceImage.Pixels),
            OutputColumnName = "Embedding",
            WeightsPath = weightsPath,
            Architecture = (ImageArchitecture)network.Architecture,
            Layer = LastBlock,
            PixelScaling = PixelScaling.PerImageStandardization,
        }).Append(mlContext.Transforms.NormalizeLpNorm("Embedding")).Fit(data).Transform(data);
    }

    /// <summary>Blocks of convolution, batch normalization and pooling; then the means over the picture, which do not mind where a face is.</summary>
    private static IReadOnlyList<ImageLayer> Layers() =>
    [
        .. Channels.SelectMany(channels => (ImageLayer[])[new ConvolutionLayer(channels, 3) { Padding = 1, Bias = false }, new BatchNormalizationLayer(), new ActivationLayer(), new MaxPoolingLayer(2)]),
        new GlobalAveragePoolingLayer { Name = LastBlock },
        new DenseLayer { Name = "output" },
    ];
}
