using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>The binary version of CIFAR-10 (Krizhevsky, 2009): one label byte, then 32 x 32 bytes each of red, green and blue.</summary>
internal static class Cifar10Loader
{
    private const int Side = 32;
    private const int PixelCount = 3 * Side * Side;

    public static readonly string[] ClassNames = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    public static IDataView Load(IHostEnvironment env, IReadOnlyList<string> paths, IReadOnlyList<string> classNames)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(classNames);
        if (paths.Count == 0)
            throw new ArgumentException("No path is given; CIFAR-10 has data_batch_1.bin to data_batch_5.bin and test_batch.bin.", nameof(paths));
        if (classNames.Count is < 1 or > byte.MaxValue + 1)
            throw new ArgumentException(FormattableString.Invariant($"There are {classNames.Count} class names; labels are bytes, so there must be 1 to 256."), nameof(classNames));
        if (classNames.Any(string.IsNullOrEmpty))
            throw new ArgumentException("A class name is empty.", nameof(classNames));

        var names = classNames.ToArray();
        var files = new RecordFiles(paths.Select(path => RecordFile.WithoutHeader(path, 1 + PixelCount)));
        return PixelRecordView.Create(
            env,
            [3, Side, Side],
            new RecordField(files, 1, PixelCount),
            new RecordField(files, 0, 1),
            schema => LabelColumn.AddNamed(schema, names));
    }
}
