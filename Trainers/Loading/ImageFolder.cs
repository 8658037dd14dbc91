namespace MLExtensions.Loading;

/// <summary>The images of a folder that has a folder of images for each class.</summary>
internal sealed class ImageFolder
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"];

    private ImageFolder(string[] classNames, string[] paths, int[] classes)
    {
        ClassNames = classNames;
        Paths = paths;
        Classes = classes;
    }

    /// <summary>The names of the classes' folders, in ordinal order.</summary>
    public string[] ClassNames { get; }

    /// <summary>The images, class by class, in ordinal order.</summary>
    public string[] Paths { get; }

    /// <summary>The class of each image, an index into <see cref="ClassNames"/>.</summary>
    public int[] Classes { get; }

    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">There are no folders in it, or no images in them.</exception>
    public static ImageFolder Find(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder '{folder}'.");
        var names = Sorted(new DirectoryInfo(folder).EnumerateDirectories());
        if (names.Length == 0)
            throw new ArgumentException($"'{folder}' has no folders; a folder of images for each class is expected, such as '{Path.Combine(folder, "cat", "1.jpg")}'.", nameof(folder));

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

    /// <summary>The names without hidden ones, which tools leave behind.</summary>
    private static string[] Sorted(IEnumerable<FileSystemInfo> entries) =>
        entries.Select(entry => entry.Name).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal).ToArray();
}
