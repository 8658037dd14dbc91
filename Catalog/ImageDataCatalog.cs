using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Loading;

namespace MLExtensions;

/// <summary>Adds image loaders to ML.NET's data catalog.</summary>
public static class ImageDataCatalog
{
    /// <param name="catalog">The data operations, <c>mlContext.Data</c>.</param>
    extension(DataOperationsCatalog catalog)
    {
        /// <summary>Loads images and labels in the IDX format of MNIST. Gzipped files are recognized by their first bytes.</summary>
        /// <remarks>
        /// Columns: <c>Features</c>, a <c>Vector&lt;Single&gt;</c> of dimensions [1, height, width] with the bytes of the file, 0 to 255;
        /// and <c>Label</c>, a key whose values are the numbers from 0. Only the headers are read at once, and the labels if
        /// <paramref name="classCount"/> is null. Plain files can be shuffled; gzipped files are read in order.
        /// </remarks>
        /// <param name="imagesPath">The image file: bytes in three dimensions (number, height, width).</param>
        /// <param name="labelsPath">The label file: bytes in one dimension. Null: images without labels.</param>
        /// <param name="classCount">The number of classes, 1 to 256. Null: the largest label plus one.</param>
        /// <exception cref="FileNotFoundException">The file does not exist.</exception>
        /// <exception cref="FormatException">
        /// A file has another format, is truncated or too long, or the two files do not belong together; the message names the file.
        /// Damaged rows are reported when they are read.
        /// </exception>
        /// <example>
        /// <code>
        /// var digits = ml.Data.LoadFromIdx("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
        /// using var model = ml.MulticlassClassification.Trainers.Cnn(layers: CnnLayers.LeNet5(), epochs: 5).Fit(digits);
        /// </code>
        /// </example>
        public IDataView LoadFromIdx(string imagesPath, string? labelsPath = null, int? classCount = null) =>
            IdxLoader.Load(CatalogUtils.GetEnvironment(catalog), imagesPath, labelsPath, classCount);

        /// <summary>Loads the binary version of CIFAR-10 (Krizhevsky, 2009). Gzipped files are recognized by their first bytes.</summary>
        /// <remarks>
        /// Columns: <c>Features</c>, a <c>Vector&lt;Single&gt;</c> of dimensions [3, 32, 32], planar in the order red, green, blue, 0 to
        /// 255; and <c>Label</c>, a key whose values are the class names. The files are read when the rows are. Plain files can be shuffled
        /// and have a row count; gzipped files are read in order.
        /// </remarks>
        /// <param name="paths">The files, such as data_batch_1.bin to data_batch_5.bin, read one after the other.</param>
        /// <exception cref="ArgumentException">No path is given.</exception>
        /// <exception cref="FileNotFoundException">The file does not exist.</exception>
        /// <exception cref="FormatException">
        /// A file does not hold a whole number of records, or a label is not one of the classes; the message names the file.
        /// </exception>
        /// <example>
        /// <code>
        /// var images = ml.Data.LoadFromCifar10("data_batch_1.bin", "data_batch_2.bin");
        /// using var model = ml.MulticlassClassification.Trainers.ResNet(depth: 20, epochs: 10).Fit(images);
        /// </code>
        /// </example>
        public IDataView LoadFromCifar10(params string[] paths) =>
            Cifar10Loader.Load(CatalogUtils.GetEnvironment(catalog), paths, Cifar10Loader.ClassNames);

        /// <summary>Loads files in the binary format of CIFAR-10 with other classes.</summary>
        /// <param name="paths">The files, read one after the other.</param>
        /// <param name="classNames">The class names, 1 to 256 of them, in label order.</param>
        /// <inheritdoc cref="LoadFromCifar10(DataOperationsCatalog, string[])"/>
        /// <example>
        /// <code>
        /// var images = ml.Data.LoadFromCifar10(["two_classes.bin"], ["cat", "dog"]);
        /// </code>
        /// </example>
        public IDataView LoadFromCifar10(IReadOnlyList<string> paths, IReadOnlyList<string> classNames) =>
            Cifar10Loader.Load(CatalogUtils.GetEnvironment(catalog), paths, classNames);

        /// <summary>Loads images from a folder with one subfolder per class.</summary>
        /// <remarks>
        /// Columns: <c>ImagePath</c>, the file; <c>Label</c>, a key whose values are the subfolder names in ordinal order; and
        /// <c>Image</c>, an <see cref="MLImage"/>. Files that end in jpg, jpeg, jfif, png, bmp, gif or webp are images; names that begin with a
        /// dot are ignored. Other files, files beside the class folders and folders within them are not loaded, and are counted in a warning
        /// on <c>MLContext.Log</c>. To load a single image in the same way, use <see cref="ImageFile"/>.
        /// </remarks>
        /// <param name="folder">The folder with the class folders.</param>
        /// <param name="imageHeight">
        /// The height to resize the images to, in pixels. Null, together with <paramref name="imageWidth"/>: images keep their own size.
        /// </param>
        /// <param name="imageWidth">The width to resize the images to, in pixels, or null.</param>
        /// <param name="onBadImage">
        /// What to do with a file that is not a valid image or is truncated. With <see cref="BadImageHandling.Skip"/>, the default, it is
        /// skipped and counted in a warning; every file is decoded once even if the image column is not read, and the row count is not known
        /// before. With <see cref="BadImageHandling.Throw"/>, an image is decoded only when it is requested.
        /// </param>
        /// <param name="resizing">How an image with another aspect ratio is resized, as in <c>ResizeImages</c>.</param>
        /// <param name="upright">
        /// Whether photos are turned as their EXIF orientation says; cameras store them as the sensor was held. Default true.
        /// </param>
        /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
        /// <exception cref="ArgumentException">
        /// The folder has no subfolders, the subfolders have no images, or only one of height and width is given.
        /// </exception>
        /// <example>
        /// <code>
        /// var photos = ml.Data.LoadFromImageFolder("photos"); // photos/cat/1.jpg, photos/dog/1.jpg
        /// var pipeline = ml.Transforms.ResizeImages("Image", 64, 64)
        ///     .Append(ml.MulticlassClassification.Trainers.Cnn(featureColumnName: "Image"))
        ///     .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        /// var model = pipeline.Fit(photos);
        /// </code>
        /// </example>
        public IDataView LoadFromImageFolder(
            string folder,
            int? imageHeight = null,
            int? imageWidth = null,
            BadImageHandling onBadImage = BadImageHandling.Skip,
            ImageResizingEstimator.ResizingKind resizing = ImageResizingEstimator.ResizingKind.IsoCrop,
            bool upright = true) =>
            ImageFolderLoader.Load(CatalogUtils.GetEnvironment(catalog), folder, imageHeight, imageWidth, resizing, onBadImage, upright);
    }
}
