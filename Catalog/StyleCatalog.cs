using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Adds style transfer to ML.NET's transforms catalog.</summary>
public static class StyleCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Paints pictures in the style of another, by optimization. Gatys, Ecker and Bethge, 2016.</summary>
        /// <remarks>The transformer optimizes each picture when its row is read, which takes seconds.</remarks>
        /// <param name="outputColumnName">The column to add, an image of the size of the content picture.</param>
        /// <param name="inputColumnName">The column of the content pictures, <c>MLImage</c> of any size.</param>
        /// <param name="stylePath">The file of the style picture.</param>
        /// <param name="weightsPath">
        /// The safetensors file of a pretrained image network: SqueezeNet 1.0, VGG-16 or VGG-19 with torchvision's names.
        /// </param>
        /// <param name="iterations">The number of steps. Default 200.</param>
        /// <param name="styleWeight">The factor of the style loss, at least 0: 10 to 30 give clear strokes. Default 20.</param>
        /// <exception cref="FileNotFoundException">A file does not exist.</exception>
        /// <exception cref="ModelFormatException">The file with the weights is damaged or not a safetensors file.</exception>
        /// <exception cref="ArgumentException">The network is not recognized, or an option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.LoadImages("Image", "pictures", "Path")
        ///     .Append(ml.Transforms.StyleTransfer("Styled", "Image", "starry_night.jpg", "squeezenet1_0.safetensors"));
        /// </code>
        /// </example>
        public StyleTransferEstimator StyleTransfer(
            string outputColumnName,
            string inputColumnName,
            string stylePath,
            string weightsPath,
            int iterations = StyleTransferEstimator.Options.DefaultIterations,
            double styleWeight = StyleTransferEstimator.Options.DefaultStyleWeight) =>
            catalog.StyleTransfer(new StyleTransferEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                StylePaths = [stylePath],
                WeightsPath = weightsPath,
                Iterations = iterations,
                StyleWeight = styleWeight,
            });

        /// <summary>Paints pictures in the style of others, by optimization, with all options.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <inheritdoc cref="StyleTransfer(TransformsCatalog, string, string, string, string, int, double)" path="/exception"/>
        /// <example>
        /// <code>
        /// var style = ml.Transforms.StyleTransfer(new StyleTransferEstimator.Options
        /// {
        ///     StylePaths = ["starry_night.jpg", "the_wave.jpg"],
        ///     StyleBlendWeights = [2, 1],
        ///     WeightsPath = "squeezenet1_0.safetensors",
        ///     PreserveColors = true,
        /// });
        /// </code>
        /// </example>
        public StyleTransferEstimator StyleTransfer(StyleTransferEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);

        /// <summary>Learns to paint pictures in the style of another in one pass of a network. Johnson, Alahi and Fei-Fei, 2016.</summary>
        /// <param name="outputColumnName">The column to add, pictures of the size and type of the input.</param>
        /// <param name="inputColumnName">
        /// The column of the content pictures: in the training, images (<c>MLImage</c>) of known size; afterwards, of any size.
        /// </param>
        /// <param name="stylePath">The file of the style picture.</param>
        /// <param name="weightsPath">
        /// The safetensors file of a pretrained image network: SqueezeNet 1.0, VGG-16 or VGG-19 with torchvision's names. The trained model does
        /// not need it.
        /// </param>
        /// <param name="epochs">The number of passes over the pictures. Default 50.</param>
        /// <param name="styleWeight">The factor of the style loss, at least 0. Default 10.</param>
        /// <inheritdoc cref="StyleTransfer(TransformsCatalog, string, string, string, string, int, double)" path="/exception"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.LoadImages("Image", "pictures", "Path")
        ///     .Append(ml.Transforms.ResizeImages("Image", 256, 256))
        ///     .Append(ml.Transforms.FastStyleTransfer("Styled", "Image", "starry_night.jpg", "squeezenet1_0.safetensors"));
        /// </code>
        /// </example>
        public FastStyleTransferEstimator FastStyleTransfer(
            string outputColumnName,
            string inputColumnName,
            string stylePath,
            string weightsPath,
            int epochs = FastStyleTransferEstimator.Options.DefaultFastEpochs,
            double styleWeight = FastStyleTransferEstimator.Options.DefaultStyleWeight) =>
            catalog.FastStyleTransfer(new FastStyleTransferEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                StylePaths = [stylePath],
                WeightsPath = weightsPath,
                Epochs = epochs,
                StyleWeight = styleWeight,
            });

        /// <summary>Learns to paint pictures in the style of another, or of several, in one pass of a network, with all options.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <inheritdoc cref="StyleTransfer(TransformsCatalog, string, string, string, string, int, double)" path="/exception"/>
        /// <example>
        /// <code>
        /// var style = ml.Transforms.FastStyleTransfer(new FastStyleTransferEstimator.Options
        /// {
        ///     StylePaths = ["starry_night.jpg", "the_wave.jpg"],
        ///     StyleColumnName = "Style",
        ///     WeightsPath = "squeezenet1_0.safetensors",
        ///     CropSize = 128,
        ///     ValidationFraction = 0.1,
        /// });
        /// </code>
        /// </example>
        public FastStyleTransferEstimator FastStyleTransfer(FastStyleTransferEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);

        /// <summary>Describes the style of pictures by numbers, with a pretrained image network.</summary>
        /// <param name="outputColumnName">The column to add, a <c>Vector&lt;Single&gt;</c> of known size.</param>
        /// <param name="inputColumnName">The column of the pictures, <c>MLImage</c> of any size.</param>
        /// <param name="weightsPath">
        /// The safetensors file of the network: SqueezeNet 1.0, VGG-16 or VGG-19 with torchvision's names.
        /// </param>
        /// <exception cref="FileNotFoundException">The file does not exist.</exception>
        /// <exception cref="ModelFormatException">The file is damaged or not a safetensors file.</exception>
        /// <exception cref="ArgumentException">The network is not recognized.</exception>
        /// <example>
        /// <code>
        /// var painters = ml.Transforms.StyleEmbedding("Features", "Image", "squeezenet1_0.safetensors")
        ///     .AppendCacheCheckpoint(ml)
        ///     .Append(ml.Transforms.NormalizeMeanVariance("Features"))
        ///     .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
        ///     .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy());
        /// </code>
        /// </example>
        public StyleEmbeddingEstimator StyleEmbedding(string outputColumnName, string inputColumnName, string weightsPath) =>
            catalog.StyleEmbedding(new StyleEmbeddingEstimator.Options { OutputColumnName = outputColumnName, InputColumnName = inputColumnName, WeightsPath = weightsPath });

        /// <summary>Describes the style of pictures by numbers, with all options.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <inheritdoc cref="StyleEmbedding(TransformsCatalog, string, string, string)" path="/exception"/>
        /// <example>
        /// <code>
        /// var style = ml.Transforms.StyleEmbedding(new StyleEmbeddingEstimator.Options
        /// {
        ///     WeightsPath = "squeezenet1_0.safetensors",
        ///     Layers = ["fire3", "fire5"],
        ///     Statistic = StyleStatistic.Gram,
        /// });
        /// </code>
        /// </example>
        public StyleEmbeddingEstimator StyleEmbedding(StyleEmbeddingEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);

        /// <summary>Learns to paint pictures in any style, also one that it has never seen. Huang and Belongie, 2017.</summary>
        /// <remarks>
        /// The training takes content and style pictures from the two columns and pairs them at random; they must have one size each, so put
        /// <c>ResizeImages</c> before. The transformer takes pictures of any size.
        /// </remarks>
        /// <param name="outputColumnName">The column to add, an image of the size of the content picture.</param>
        /// <param name="inputColumnName">The column of the content pictures, <c>MLImage</c>.</param>
        /// <param name="styleColumnName">The column of the style pictures, <c>MLImage</c>.</param>
        /// <param name="weightsPath">
        /// The safetensors file of a pretrained image network: SqueezeNet 1.0, VGG-16 or VGG-19 with torchvision's names.
        /// </param>
        /// <param name="epochs">The number of passes over the training data. Default 20.</param>
        /// <param name="styleWeight">The factor of the style loss, at least 0. Default 10.</param>
        /// <exception cref="FileNotFoundException">The file does not exist.</exception>
        /// <exception cref="ModelFormatException">The file is damaged or not a safetensors file.</exception>
        /// <exception cref="ArgumentException">The network is not recognized, or an option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.LoadImages("Image", "photos", "Path")
        ///     .Append(ml.Transforms.LoadImages("Style", "paintings", "PaintingPath"))
        ///     .Append(ml.Transforms.ResizeImages("Image", 128, 128))
        ///     .Append(ml.Transforms.ResizeImages("Style", 128, 128))
        ///     .Append(ml.Transforms.AdaptiveStyleTransfer("Styled", "Image", "Style", "squeezenet1_0.safetensors"));
        /// </code>
        /// </example>
        public AdaptiveStyleTransferEstimator AdaptiveStyleTransfer(
            string outputColumnName,
            string inputColumnName,
            string styleColumnName,
            string weightsPath,
            int epochs = AdaptiveStyleTransferEstimator.Options.DefaultStyleEpochs,
            double styleWeight = AdaptiveStyleTransferEstimator.Options.DefaultStyleWeight) =>
            catalog.AdaptiveStyleTransfer(new AdaptiveStyleTransferEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                StyleColumnName = styleColumnName,
                WeightsPath = weightsPath,
                Epochs = epochs,
                StyleWeight = styleWeight,
            });

        /// <summary>Learns to paint pictures in any style, with all options.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <inheritdoc cref="AdaptiveStyleTransfer(TransformsCatalog, string, string, string, string, int, double)" path="/exception"/>
        /// <example>
        /// <code>
        /// var style = ml.Transforms.AdaptiveStyleTransfer(new AdaptiveStyleTransferEstimator.Options
        /// {
        ///     WeightsPath = "squeezenet1_0.safetensors",
        ///     StylePaths = ["starry_night.jpg", "the_wave.jpg", "the_scream.jpg"],
        ///     Strength = 0.8,
        ///     PreserveColors = true,
        /// });
        /// </code>
        /// </example>
        public AdaptiveStyleTransferEstimator AdaptiveStyleTransfer(AdaptiveStyleTransferEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
