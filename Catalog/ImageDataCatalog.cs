using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Loading;

namespace MLExtensions;

/// <summary>Loaders of images in ML.NET's catalog of data.</summary>
public static class ImageDataCatalog
{
    /// <param name="catalog">The data operations, <c>mlContext.Data</c>.</param>
    extension(DataOperationsCatalog catalog)
    {
        /// <summary>Loads images, and their labels, in the IDX format of MNIST. The files may be gzipped; their first bytes tell.</summary>
        /// <remarks>
        /// Columns: <c>Features</c>, a <c>Vector&lt;Single&gt;</c> of dimensions [1, height, width] with the bytes of the file, 0 to 255;
        /// and <c>Label</c>, a key whose values are the numbers from 0. Nothing but the headers is read before the rows are, and, where
        /// <paramref name="classCount"/> is null, the labels. Plain files can be shuffled; gzipped ones are read in their order.
        /// </remarks>
        /// <param name="imagesPath">The file of the images: bytes in three dimensions (number, height, width).</param>
        /// <param name="labelsPath">The file of the labels: bytes in one dimension; null for images alone.</param>
        /// <param name="classCount">The number of classes, 1 to 256; null for the largest label and one more.</param>
        /// <exception cref="FileNotFoundException">There is no such file.</exception>
        /// <exception cref="FormatException">A file has another format, is cut off or too long, or the files don't belong together; the message names the file. What only the rows show is thrown when they are read.</exception>
        public IDataView LoadFromIdx(string imagesPath, string? labelsPath = null, int? classCount = null) =>
            IdxLoader.Load(CatalogUtils.GetEnvironment(catalog), imagesPath, labelsPath, classCount);

        /// <summary>Loads the binary version of CIFAR-10 (Krizhevsky, 2009). The files may be gzipped; their first bytes tell.</summary>
        /// <remarks>
        /// Columns: <c>Features</c>, a <c>Vector&lt;Single&gt;</c> of dimensions [3, 32, 32], planar in the order red, green, blue, 0 to
        /// 255; and <c>Label</c>, a key whose values are the names of the classes. Nothing is read before the rows are. Plain files can be
        /// shuffled and have a row count; gzipped ones are read in their order.
        /// </remarks>
        /// <param name="paths">The files, such as data_batch_1.bin to data_batch_5.bin, one after the other.</param>
        /// <exception cref="ArgumentException">There is no path.</exception>
        /// <exception cref="FileNotFoundException">There is no such file.</exception>
        /// <exception cref="FormatException">A file has not a whole number of records, or a label is none of the classes; the message names the file.</exception>
        public IDataView LoadFromCifar10(params string[] paths) =>
            Cifar10Loader.Load(CatalogUtils.GetEnvironment(catalog), paths, Cifar10Loader.ClassNames);

        /// <summary>Loads files in the binary format of CIFAR-10 that have other classes.</summary>
        /// <param name="paths">The files, one after the other.</param>
        /// <param name="classNames">The names of the classes, 1 to 256, in the order of the labels.</param>
        /// <inheritdoc cref="LoadFromCifar10(DataOperationsCatalog, string[])"/>
        public IDataView LoadFromCifar10(IReadOnlyList<string> paths, IReadOnlyList<string> classNames) =>
            Cifar10Loader.Load(CatalogUtils.GetEnvironment(catalog), paths, classNames);

        /// <summary>Loads images from a folder that has a folder of images for each class.</summary>
        /// <remarks>
        /// Columns: <c>ImagePath</c>, the file; <c>Label</c>, a key whose values are the names of the classes' folders in ordinal order;
        /// and <c>Image</c>, an <see cref="MLImage"/>. An image is read and decoded when its row's image is asked for. Files that end in
        /// jpg, jpeg, png, bmp, gif or webp are images; names that begin with a dot are passed over.
        /// </remarks>
        /// <param name="folder">The folder of the classes' folders.</param>
        /// <param name="imageHeight">The height to resize the images to; null, as <paramref name="imageWidth"/> must be then, for each image's own.</param>
        /// <param name="imageWidth">The width to resize the images to, or null.</param>
        /// <param name="onBadImage">
        /// What to do with a file that is no image or is cut off. With <see cref="BadImageHandling.Skip"/> each file is decoded once whichever
        /// columns are read, and the row count is not known before.
        /// </param>
        /// <param name="resizing">How an image of other proportions is made to fit, as in <c>ResizeImages</c>.</param>
        /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
        /// <exception cref="ArgumentException">The folder has no folders, or they have no images, or only one of height and width is given.</exception>
        public IDataView LoadFromImageFolder(
            string folder,
            int? imageHeight = null,
            int? imageWidth = null,
            BadImageHandling onBadImage = BadImageHandling.Throw,
            ImageResizingEstimator.ResizingKind resizing = ImageResizingEstimator.ResizingKind.IsoCrop) =>
            ImageFolderLoader.Load(CatalogUtils.GetEnvironment(catalog), folder, imageHeight, imageWidth, resizing, onBadImage);
    }
}
