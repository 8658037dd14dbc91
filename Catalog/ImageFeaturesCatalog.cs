using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Adds pretrained image networks to ML.NET's transforms catalog.</summary>
public static class ImageFeaturesCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Computes image features with a pretrained network, up to one of its layers.</summary>
        /// <remarks>Pixels are scaled as torchvision's ImageNet networks expect it. Other options are in the other overload.</remarks>
        /// <param name="outputColumnName">The column to add, a <c>Vector&lt;Single&gt;</c> of known size.</param>
        /// <param name="inputColumnName">
        /// The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> as ExtractPixels creates
        /// it; pixels are 0 to 255.
        /// </param>
        /// <param name="weightsPath">
        /// The path of a safetensors file. The network is recognized by the names and sizes of its layers.
        /// </param>
        /// <param name="layer">
        /// The last layer to compute, such as <c>features</c>, <c>layer4</c> or <c>avgpool</c>; null: the whole network, up to its logits.
        /// </param>
        /// <param name="pool">Whether an output with spatial positions is averaged over them; false flattens it. Default true.</param>
        /// <exception cref="FileNotFoundException">The file does not exist.</exception>
        /// <exception cref="ModelFormatException">The file is damaged or not a safetensors file.</exception>
        /// <exception cref="ArgumentException">
        /// The network is not recognized, or the layer does not exist; the message suggests the nearest name.
        /// </exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 224, 224)
        ///     .Append(ml.Transforms.ImageFeatures("Features", "Image", "squeezenet1_0.safetensors", layer: "features"))
        ///     .AppendCacheCheckpoint(ml)
        ///     .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy());
        /// </code>
        /// </example>
        public ImageFeaturesEstimator ImageFeatures(string outputColumnName, string inputColumnName, string weightsPath, string? layer = null, bool pool = true) =>
            catalog.ImageFeatures(new ImageFeaturesEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                WeightsPath = weightsPath,
                Layer = layer,
                Pool = pool,
            });

        /// <summary>Computes image features with a pretrained network, up to one of its layers.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <inheritdoc cref="ImageFeatures(TransformsCatalog, string, string, string, string?, bool)" path="/exception"/>
        /// <example>
        /// <code>
        /// var features = ml.Transforms.ImageFeatures(new ImageFeaturesEstimator.Options
        /// {
        ///     InputColumnName = "Image",
        ///     OutputColumnName = "Features",
        ///     WeightsPath = "resnet18.safetensors",
        ///     PixelScaling = PixelScaling.ImageNet,
        /// });
        /// </code>
        /// </example>
        public ImageFeaturesEstimator ImageFeatures(ImageFeaturesEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
