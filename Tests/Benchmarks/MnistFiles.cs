using System.Buffers.Binary;
using System.IO.Compression;

namespace MLExtensions.Benchmarks;

/// <summary>Reads MNIST's IDX files, gzipped or not.</summary>
internal static class MnistFiles
{
    private const int BytesMagic = 0x800;

    /// <param name="folder">Where the files are.</param>
    /// <param name="part"><c>train</c> or <c>t10k</c>.</param>
    public static ImageSet Read(string folder, string part)
    {
        var images = ReadIdx(folder, $"{part}-images", 3);
        var labels = ReadIdx(folder, $"{part}-labels", 1);
        if (images.Length != labels.Length * ImageRow.Width)
            throw new InvalidDataException($"'{folder}': {part} has {labels.Length} labels for {images.Length} pixels.");
        var rows = new ImageRow[labels.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            var pixels = images.AsSpan(i * ImageRow.Width, ImageRow.Width).ToArray();
            rows[i] = new ImageRow { Label = labels[i], Features = Array.ConvertAll(pixels, pixel => pixel / 255f) };
        }
        return new ImageSet(rows);
    }

    private static byte[] ReadIdx(string folder, string name, int dimensions)
    {
        var path = Directory.EnumerateFiles(folder, name + "*").Order().FirstOrDefault()
            ?? throw new FileNotFoundException($"There is no file {name}* in '{folder}'.");
        using var file = File.OpenRead(path);
        using Stream content = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var memory = new MemoryStream();
        content.CopyTo(memory);
        var bytes = memory.ToArray();
        if (bytes.Length < 4 || BinaryPrimitives.ReadInt32BigEndian(bytes) != BytesMagic + dimensions)
            throw new InvalidDataException($"'{path}' is no IDX file of {dimensions} dimensions.");
        return bytes[(4 + (4 * dimensions))..];
    }
}
