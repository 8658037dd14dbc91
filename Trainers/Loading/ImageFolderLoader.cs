using Microsoft.ML;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Loading;

/// <summary>A folder of images for each class.</summary>
internal static class ImageFolderLoader
{
    public static IDataView Load(IHostEnvironment env, string folder, int? imageHeight, int? imageWidth, ImageResizingEstimator.ResizingKind resizing, BadImages onBadImage)
    {
        if (imageHeight.HasValue != imageWidth.HasValue)
            throw new ArgumentException($"imageHeight is {Text(imageHeight)} and imageWidth is {Text(imageWidth)}; give both, or none to keep each image's own size.", imageHeight.HasValue ? nameof(imageWidth) : nameof(imageHeight));
        CheckPositive(imageHeight, nameof(imageHeight));
        CheckPositive(imageWidth, nameof(imageWidth));
        if (!Enum.IsDefined(onBadImage))
            throw new ArgumentOutOfRangeException(nameof(onBadImage), onBadImage, "It must be Refuse or Skip.");
        if (!Enum.IsDefined(resizing))
            throw new ArgumentOutOfRangeException(nameof(resizing), resizing, "It must be IsoCrop, IsoPad or Fill.");

        var view = ImageFolderView.Create(env, ImageFolder.Find(folder), onBadImage);
        if (imageHeight == null || imageWidth == null)
            return view;
        // ML.NET's own transform, so that a pipeline which resizes by itself when it predicts sees the same pixels.
        var resize = new TransformsCatalog(env).ResizeImages(ImageFolderView.ImageColumn, imageWidth.Value, imageHeight.Value, resizing: resizing);
        return resize.Fit(view).Transform(view);
    }

    private static void CheckPositive(int? value, string name)
    {
        if (value < 1)
            throw new ArgumentOutOfRangeException(name, value, "An image has at least one row and one column of pixels.");
    }

    private static string Text(int? value) => value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "null";
}
