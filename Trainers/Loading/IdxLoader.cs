using MLExtensions.Messages;
using System.Buffers.Binary;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>Loads the IDX format of MNIST: a file of images and optionally one of labels.</summary>
internal static class IdxLoader
{
    private const int LargestClassCount = byte.MaxValue + 1;
    private const long LargestImage = int.MaxValue / 4; // one float per pixel

    public static IDataView Load(IHostEnvironment env, string imagesPath, string? labelsPath, int? classCount)
    {
        if (classCount is < 1 or > LargestClassCount)
            throw new ArgumentOutOfRangeException(nameof(classCount), classCount, FormattableString.Invariant($"The labels of an IDX file are bytes; there can be 1 to {LargestClassCount} classes."));
        if (classCount != null && labelsPath == null)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(classCount)} is {classCount}, but there is no {nameof(labelsPath)}."), nameof(classCount));

        var file = DataFile.Find(imagesPath);
        var shape = IdxHeader.Read(file, "number of images", "height", "width");
        if ((long)shape[1] * shape[2] > LargestImage)
            throw file.Wrong(string.Create(CultureInfo.InvariantCulture, $"images of {shape[1]:N0} x {shape[2]:N0} pixels are too large; at most {LargestImage:N0} pixels can be read"));
        var pixelCount = shape[1] * shape[2];
        var images = new RecordFiles([new RecordFile(file, IdxHeader.SizeOf(3), pixelCount, shape[0])]);
        var labels = labelsPath == null ? null : OpenLabels(labelsPath, file, shape[0]);
        return PixelRecordView.Create(
            env,
            [1, shape[1], shape[2]],
            new RecordField(images, 0, pixelCount),
            labels == null ? null : new RecordField(labels, 0, 1),
            schema => LabelColumn.AddNumbered(schema, classCount ?? CountClasses(labels!)));
    }

    private static RecordFiles OpenLabels(string path, DataFile images, int imageCount)
    {
        var file = DataFile.Find(path);
        var count = IdxHeader.Read(file, "number of labels")[0];
        if (count != imageCount)
            throw file.Wrong(string.Create(CultureInfo.InvariantCulture, $"it has {count:N0} labels, but '{images.Path}' has {imageCount:N0} images"));
        return new RecordFiles([new RecordFile(file, IdxHeader.SizeOf(1), 1, count)]);
    }

    private static int CountClasses(RecordFiles labels)
    {
        var largest = 0;
        using var reader = new RecordReader(labels);
        while (reader.ReadNext())
            largest = Math.Max(largest, reader.Record[0]);
        return largest + 1;
    }
}

/// <summary>
/// The header of a file in the IDX format of MNIST: two zero bytes, the type of the values (8: bytes), the number of dimensions,
/// the dimensions as big-endian 32-bit numbers.
/// </summary>
internal static class IdxHeader
{
    private const uint UnsignedBytes = 0x0800;

    /// <summary>Reads the dimensions and checks them against the file size.</summary>
    /// <param name="names">The names of the dimensions, for messages.</param>
    public static int[] Read(DataFile file, params string[] names)
    {
        using var content = file.OpenContent();
        var expected = UnsignedBytes | (uint)names.Length;
        var magic = ReadNumber(file, content);
        if (magic != expected)
            throw file.Wrong(FormattableString.Invariant($"it begins with 0x{magic:x8}; an IDX file of bytes in {names.Length} dimensions ({string.Join(", ", names)}) begins with 0x{expected:x8}"));
        var dimensions = new int[names.Length];
        UInt128 size = (uint)SizeOf(names.Length);
        UInt128 values = 1;
        for (var i = 0; i < names.Length; i++)
        {
            dimensions[i] = Dimension(file, ReadNumber(file, content), names[i], least: i == 0 ? 0u : 1u);
            values *= (uint)dimensions[i];
        }
        file.CheckSize(size + values, $"the dimensions {NumberList.Of(dimensions, " x ")} of its header");
        return dimensions;
    }

    /// <summary>The size of the header in bytes.</summary>
    public static int SizeOf(int dimensionCount) => sizeof(uint) * (1 + dimensionCount);

    private static int Dimension(DataFile file, uint value, string name, uint least) =>
        value >= least && value <= int.MaxValue
            ? (int)value
            : throw file.Wrong(string.Create(CultureInfo.InvariantCulture, $"the {name} in the header is {(int)value:N0}; it must be at least {least}"));

    private static uint ReadNumber(DataFile file, Stream content)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        if (!file.TryReadExactly(content, bytes, $"the header"))
            throw file.Wrong("it is truncated in the header");
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
