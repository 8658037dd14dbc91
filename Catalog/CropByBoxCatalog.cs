using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Adds cropping by boxes to ML.NET's transforms catalog.</summary>
public static class CropByBoxCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Cuts boxes out of images, such as the faces that a detector has found.</summary>
        /// <param name="outputColumnName">The column to add, <c>MLImage</c>.</param>
        /// <param name="inputColumnName">The column of the images, <c>MLImage</c> of any size.</param>
        /// <param name="boxColumnName">The column of the boxes, a <c>Vector&lt;Single&gt;</c> of 4: left, top, width, height in pixels.</param>
        /// <param name="margin">What is added on each side of a box, as a fraction of its width and height.</param>
        /// <param name="outputHeight">The height in pixels that all results are resized to; null for that of each box.</param>
        /// <param name="outputWidth">The width in pixels that all results are resized to; null for that of each box.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var faces = ml.Transforms.CropByBox("Face", "Image", "Box", margin: .2, outputHeight: 112, outputWidth: 112);
        /// </code>
        /// </example>
        public CropByBoxEstimator CropByBox(
            string outputColumnName = "Crop", string inputColumnName = "Image", string boxColumnName = "Box", double margin = 0, int? outputHeight = null, int? outputWidth = null) =>
            catalog.CropByBox(new CropByBoxEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                BoxColumnName = boxColumnName,
                Margin = margin,
                OutputHeight = outputHeight,
                OutputWidth = outputWidth,
            });

        /// <summary>Cuts boxes out of images, such as the faces that a detector has found.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <inheritdoc cref="CropByBox(TransformsCatalog, string, string, string, double, int?, int?)" path="/exception"/>
        public CropByBoxEstimator CropByBox(CropByBoxEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
