using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Loading;

/// <summary>Loads a folder with one subfolder of images per class.</summary>
internal static class ImageFolderLoader
{
    public static IDataView Load(IHostEnvironment env, string folder, int? imageHeight, int? imageWidth, ImageResizingEstimator.ResizingKind resizing, BadImageHandling onBadImage, bool upright)
    {
        if (imageHeight.HasValue != imageWidth.HasValue)
            throw new ArgumentException($"imageHeight is {Text(imageHeight)} and imageWidth is {Text(imageWidth)}; set both, or neither to keep the size of each image.", imageHeight.HasValue ? nameof(imageWidth) : nameof(imageHeight));
        CheckPositive(imageHeight, nameof(imageHeight));
        CheckPositive(imageWidth, nameof(imageWidth));
        if (!Enum.IsDefined(onBadImage))
            throw new ArgumentOutOfRangeException(nameof(onBadImage), onBadImage, $"onBadImage is {onBadImage}; it must be Throw or Skip.");
        if (!Enum.IsDefined(resizing))
            throw new ArgumentOutOfRangeException(nameof(resizing), resizing, $"resizing is {resizing}; it must be IsoCrop, IsoPad or Fill.");

        var images = ImageFolder.Find(folder);
        images.ReportSkipped(env.Register(nameof(ImageFolder)), folder);
        var view = ImageFolderView.Create(env, images, onBadImage, upright);
        if (imageHeight == null || imageWidth == null)
            return view;
        // ML.NET's own transform, so that a pipeline that resizes images before prediction gets the same pixels.
        var resize = new TransformsCatalog(env).ResizeImages(ImageFolderView.ImageColumn, imageWidth.Value, imageHeight.Value, resizing: resizing);
        return resize.Fit(view).Transform(view);
    }

    private static void CheckPositive(int? value, string name)
    {
        if (value < 1)
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {Text(value)}; it must be at least 1.");
    }

    private static string Text(int? value) => value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "null";
}

/// <summary>The images of a folder with one subfolder per class.</summary>
internal sealed class ImageFolder
{
    private readonly List<string> _skipped;

    private ImageFolder(string[] classNames, string[] paths, int[] classes, List<string> skipped)
    {
        ClassNames = classNames;
        Paths = paths;
        Classes = classes;
        _skipped = skipped;
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
        var skipped = new List<string>();
        var left = new LeftOutFiles();
        left.AddRoot(new DirectoryInfo(folder));
        for (var i = 0; i < names.Length; i++)
        {
            var path = Path.Combine(folder, names[i]);
            var images = Sorted(new DirectoryInfo(path).EnumerateFiles().Where(IsImage));
            paths.AddRange(images.Select(image => Path.Combine(path, image)));
            classes.AddRange(Enumerable.Repeat(i, images.Length));
            if (images.Length == 0)
                skipped.Add($"class folder '{names[i]}' has no images");
            left.Add(new DirectoryInfo(path));
        }
        if (paths.Count == 0)
            throw new ArgumentException(FormattableString.Invariant($"The {names.Length} folders in '{folder}' have no images; files that end in {string.Join(", ", ImageFile.Extensions)} are expected.{string.Concat(left.Describe().Select(text => $" Skipped: {text}."))}"), nameof(folder));
        skipped.AddRange(left.Describe());
        return new ImageFolder(names, [.. paths], [.. classes], skipped);
    }

    /// <summary>Says once what of the folder is no row.</summary>
    public void ReportSkipped(IHost host, string folder)
    {
        if (_skipped.Count == 0)
            return;
        using var channel = host.Start("Load images");
        channel.Warning("'{0}': not loaded: {1}. {2} images in {3} class folders are loaded.", folder, string.Join("; ", _skipped), Paths.Length, ClassNames.Length);
    }

    private static bool IsImage(FileInfo file) => ImageFile.Extensions.Contains(file.Extension, StringComparer.OrdinalIgnoreCase);

    /// <summary>Removes hidden names, which tools leave behind.</summary>
    private static string[] Sorted(IEnumerable<FileSystemInfo> entries) =>
        entries.Select(entry => entry.Name).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal).ToArray();
}

/// <summary>Counts the files of an image folder that are no rows.</summary>
internal sealed class LeftOutFiles
{
    private readonly SortedDictionary<string, int> _endings = new(StringComparer.OrdinalIgnoreCase);
    private int _inRoot;
    private int _folders;
    private int _inFolders;

    public void AddRoot(DirectoryInfo folder) => _inRoot = folder.EnumerateFiles().Count(IsShown);

    public void Add(DirectoryInfo classFolder)
    {
        foreach (var file in classFolder.EnumerateFiles().Where(file => IsShown(file) && !ImageFile.Extensions.Contains(file.Extension, StringComparer.OrdinalIgnoreCase)))
        {
            var ending = file.Extension.Length == 0 ? "no ending" : file.Extension.ToLowerInvariant();
            _endings[ending] = _endings.GetValueOrDefault(ending) + 1;
        }
        foreach (var nested in classFolder.EnumerateDirectories().Where(IsShown))
        {
            _folders++;
            _inFolders += nested.EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true }).Count(IsShown);
        }
    }

    public IEnumerable<string> Describe()
    {
        if (_endings.Count > 0)
            yield return FormattableString.Invariant($"files that cannot be read as images ({string.Join(", ", _endings.Select(ending => FormattableString.Invariant($"{ending.Value} x {ending.Key}")))})");
        if (_folders > 0)
            yield return $"{Counted(_folders, "folder")} within class folders, with {Counted(_inFolders, "file")}";
        if (_inRoot > 0)
            yield return $"{Counted(_inRoot, "file")} beside the class folders";
    }

    private static string Counted(int count, string what) => FormattableString.Invariant($"{count} {what}{(count == 1 ? "" : "s")}");

    private static bool IsShown(FileSystemInfo entry) => !entry.Name.StartsWith('.');
}

/// <summary>Which images of a folder are valid, as far as they have been checked. Thread-safe.</summary>
internal sealed class ImageFiles(IHost host, ImageFolder folder, BadImageHandling onBadImage, bool upright)
{
    /// <summary>The number of bad files that are named; the others are only counted.</summary>
    private const int MostNamed = 10;

    private enum State : byte
    {
        Unknown,
        Good,
        Bad,
    }

    private readonly State[] _states = new State[folder.Paths.Length];
    private readonly Lock _lock = new();
    private int _bad;
    private int _unknown = folder.Paths.Length;

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
        image = ImageFile.TryDecode(folder.Paths[index], upright, out var problem);
        if (image != null)
            image.Tag = folder.Paths[index];
        Keep(index, image == null ? State.Bad : State.Good, problem);
        return image != null;
    }

    /// <summary>Decodes an image that is a row.</summary>
    public MLImage Decode(int index) => ImageFile.Decode(folder.Paths[index], upright);

    private void Keep(int index, State state, string problem)
    {
        lock (_lock)
        {
            // Another cursor may have been faster.
            if (_states[index] != State.Unknown)
                return;
            _states[index] = state;
            _unknown--;
            if (state == State.Bad && ++_bad <= MostNamed)
                Warn($"'{folder.Paths[index]}' was skipped: {problem}.");
            if (_unknown == 0 && _bad > 0)
                Warn(FormattableString.Invariant($"{_bad} of {folder.Paths.Length} files are not valid images and were skipped."));
        }
    }

    private void Warn(string message)
    {
        using var channel = host.Start("Load images");
        channel.Warning("{0}", message);
    }
}

/// <summary>
/// ML.NET's image library is mended when the assembly of the transformers is initialized, which happens when one of its types is used.
/// A program that only loads images with this library, and trains with ML.NET, would never do that.
/// </summary>
internal static class ImageLibrary
{
    [ModuleInitializer]
    internal static void Mend() => RuntimeHelpers.RunModuleConstructor(typeof(TorchRuntime).Module.ModuleHandle);
}
