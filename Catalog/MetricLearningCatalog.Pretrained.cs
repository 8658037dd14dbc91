using Microsoft.ML.Data;

namespace MLExtensions;

// Embeddings without training.
public sealed partial class MetricLearningCatalog
{
    /// <summary>Embeds images by a network with trained weights: a vector of length 1 whose distances say how alike two images are.</summary>
    /// <param name="trunk">The network with its weights, such as <see cref="ImageTrunk.DlibFace"/>.</param>
    /// <param name="featureColumnName">The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> with dimensions.</param>
    /// <param name="outputColumnName">The column to add: the embedding, a <c>Vector&lt;Single&gt;</c>.</param>
    /// <exception cref="ArgumentException">The network has no weights, or the file is that of another network.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    /// <example>
    /// <code>
    /// var faces = ml.Transforms.ResizeImages("Image", 150, 150)
    ///     .Append(ml.MetricLearning.Pretrained(ImageTrunk.DlibFace("face_recognition_model-weights_manifest.json"), "Image"));
    /// </code>
    /// </example>
    public PretrainedEmbeddingEstimator Pretrained(
        ImageTrunk trunk,
        string featureColumnName = DefaultColumnNames.Features,
        string outputColumnName = EmbeddingOptions.DefaultOutputColumn) =>
        Pretrained(new PretrainedEmbeddingEstimator.Options { Trunk = trunk, FeatureColumnName = featureColumnName, OutputColumnName = outputColumnName });

    /// <summary>Embeds images by a network with trained weights, with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <inheritdoc cref="Pretrained(ImageTrunk, string, string)" path="/exception"/>
    /// <example>
    /// <code>
    /// var faces = ml.MetricLearning.Pretrained(new PretrainedEmbeddingEstimator.Options
    /// {
    ///     Trunk = ImageTrunk.DlibFace("face_recognition_model-weights_manifest.json"),
    ///     FeatureColumnName = "Image",
    ///     TestTimeFlip = true,
    /// });
    /// </code>
    /// </example>
    public PretrainedEmbeddingEstimator Pretrained(PretrainedEmbeddingEstimator.Options options) => new(_context, options);
}
