using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Loading;

/// <summary>Loads a folder with one subfolder of images per class.</summary>
internal static class ImageFolderLoader
{
    public static IDataView Load(IHostEnvironment env, string folder, int? imageHeight, int? imageWidth, ImageResizingEstimator.ResizingKind resizing, BadImageHandling onBadImage)
    {
        if (imageHeight.HasValue != imageWidth.HasValue)
            throw new ArgumentException($"imageHeight is {Text(imageHeight)} and imageWidth is {Text(imageWidth)}; set both, or neither to keep the size of each image.", imageHeight.HasValue ? nameof(imageWidth) : nameof(imageHeight));
        CheckPositive(imageHeight, nameof(imageHeight));
        CheckPositive(imageWidth, nameof(imageWidth));
        if (!Enum.IsDefined(onBadImage))
            throw new ArgumentOutOfRangeException(nameof(onBadImage), onBadImage, "It must be Throw or Skip.");
        if (!Enum.IsDefined(resizing))
            throw new ArgumentOutOfRangeException(nameof(resizing), resizing, "It must be IsoCrop, IsoPad or Fill.");

        var view = ImageFolderView.Create(env, ImageFolder.Find(folder), onBadImage);
        if (imageHeight == null || imageWidth == null)
            return view;
        // ML.NET's own transform, so that a pipeline that resizes images before prediction gets the same pixels.
        var resize = new TransformsCatalog(env).ResizeImages(ImageFolderView.ImageColumn, imageWidth.Value, imageHeight.Value, resizing: resizing);
        return resize.Fit(view).Transform(view);
    }

    private static void CheckPositive(int? value, string name)
    {
        if (value < 1)
            throw new ArgumentOutOfRangeException(name, value, "It must be at least 1.");
    }

    private static string Text(int? value) => value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "null";
}

/// <summary>The images of a folder with one subfolder per class.</summary>
internal sealed class ImageFolder
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"];

    private ImageFolder(string[] classNames, string[] paths, int[] classes)
    {
        ClassNames = classNames;
        Paths = paths;
        Classes = classes;
    }

    /// <summary>The names of the class folders, in ordinal order.</summary>
    public string[] ClassNames { get; }

    /// <summary>The images, class by class, in ordinal order.</summary>
    public string[] Paths { get; }

    /// <summary>The class of each image, an index into <see cref="ClassNames"/>.</summary>
    public int[] Classes { get; }

    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="ArgumentException">The folder has no subfolders, or the subfolders have no images.</exception>
    public static ImageFolder Find(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"The folder '{folder}' does not exist.");
        var names = Sorted(new DirectoryInfo(folder).EnumerateDirectories());
        if (names.Length == 0)
            throw new ArgumentException($"'{folder}' has no subfolders; one folder of images per class is expected, such as '{Path.Combine(folder, "cat", "1.jpg")}'.", nameof(folder));

        var paths = new List<string>();
        var classes = new List<int>();
        for (var i = 0; i < names.Length; i++)
        {
            var path = Path.Combine(folder, names[i]);
            var images = Sorted(new DirectoryInfo(path).EnumerateFiles().Where(IsImage));
            paths.AddRange(images.Select(image => Path.Combine(path, image)));
            classes.AddRange(Enumerable.Repeat(i, images.Length));
        }
        if (paths.Count == 0)
            throw new ArgumentException($"The {names.Length} folders in '{folder}' have no images; files that end in {string.Join(", ", Extensions)} are expected.", nameof(folder));
        return new ImageFolder(names, [.. paths], [.. classes]);
    }

    private static bool IsImage(FileInfo file) => Extensions.Contains(file.Extension, StringComparer.OrdinalIgnoreCase);

    /// <summary>Removes hidden names, which tools leave behind.</summary>
    private static string[] Sorted(IEnumerable<FileSystemInfo> entries) =>
        entries.Select(entry => entry.Name).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal).ToArray();
}

/// <summary>Which images of a folder are valid, as far as they have been checked. Thread-safe.</summary>
internal sealed class ImageFiles(IHost host, ImageFolder folder, BadImageHandling onBadImage)
{
    private enum State : byte
    {
        Unknown,
        Good,
        Bad,
    }

    private readonly State[] _states = new State[folder.Paths.Length];

    public ImageFolder Folder => folder;

    public bool SkipsBad => onBadImage == BadImageHandling.Skip;

    /// <summary>The number of rows; null until all images that might be skipped have been checked.</summary>
    public long? Count
    {
        get
        {
            if (!SkipsBad)
                return _states.Length;
            return _states.Contains(State.Unknown) ? null : _states.Count(state => state == State.Good);
        }
    }

    /// <summary>
    /// Whether an image is a row. Each image is checked once, whichever columns are read, so that all cursors have the same rows.
    /// </summary>
    /// <param name="image">The image, if it was decoded for the check.</param>
    public bool IsRow(int index, out MLImage? image)
    {
        image = null;
        if (!SkipsBad || _states[index] == State.Good)
            return true;
        if (_states[index] == State.Bad)
            return false;
        image = ImageDecoder.TryDecode(folder.Paths[index], out var problem);
        if (image == null)
            Warn(folder.Paths[index], problem);
        else
            image.Tag = folder.Paths[index];
        _states[index] = image == null ? State.Bad : State.Good;
        return image != null;
    }

    private void Warn(string path, string problem)
    {
        using var channel = host.Start("Load images");
        channel.Warning("'{0}' was skipped: {1}.", path, problem);
    }
}
