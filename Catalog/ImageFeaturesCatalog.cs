using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Pretrained networks in ML.NET's catalog of transforms.</summary>
public static class ImageFeaturesCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Makes features of images with a pretrained network up to one of its layers.</summary>
        /// <remarks>Pixels are scaled as ImageNet networks of torchvision expect it; set other options with the other overload.</remarks>
        /// <param name="outputColumnName">The column to add, a <c>Vector&lt;Single&gt;</c> of known size.</param>
        /// <param name="inputColumnName">The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> as ExtractPixels makes it; 0 to 255.</param>
        /// <param name="weightsPath">The path of a safetensors file; its network is recognised by the names and sizes of its layers.</param>
        /// <param name="layer">The last layer to compute, such as <c>features</c>, <c>layer4</c> or <c>avgpool</c>; null for the whole network, up to its logits.</param>
        /// <param name="pool">Whether an output that is an image is averaged over its positions; false flattens it.</param>
        /// <exception cref="FileNotFoundException">There is no such file.</exception>
        /// <exception cref="ModelFormatException">The file is damaged, or no safetensors file.</exception>
        /// <exception cref="ArgumentException">The network is not recognised, or has no such layer; the message tells the nearest.</exception>
        public ImageFeaturesEstimator ImageFeatures(string outputColumnName, string inputColumnName, string weightsPath, string? layer = null, bool pool = true) =>
            catalog.ImageFeatures(new ImageFeaturesEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                WeightsPath = weightsPath,
                Layer = layer,
                Pool = pool,
            });

        /// <summary>Makes features of images with a pretrained network up to one of its layers.</summary>
        /// <param name="options">The options; the estimator keeps a copy.</param>
        /// <inheritdoc cref="ImageFeatures(TransformsCatalog, string, string, string, string?, bool)" path="/exception"/>
        public ImageFeaturesEstimator ImageFeatures(ImageFeaturesEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
