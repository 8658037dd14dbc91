using System.Buffers.Binary;
using System.IO.Compression;

namespace MLExtensions.Tests.Loading;

/// <summary>Small files in the formats that the loaders read.</summary>
internal static class DataFiles
{
    public static byte[] Idx(byte type, int[] dimensions, byte[] values)
    {
        var bytes = new byte[4 + (4 * dimensions.Length)];
        bytes[2] = type;
        bytes[3] = (byte)dimensions.Length;
        for (var i = 0; i < dimensions.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + (4 * i)), dimensions[i]);
        return [.. bytes, .. values];
    }

    /// <summary>Images of 2 x 3 pixels whose pixel p is <c>10 * image + p</c>.</summary>
    public static byte[] IdxImages(int count) =>
        Idx(8, [count, 2, 3], Enumerable.Range(0, count * 6).Select(i => (byte)((10 * (i / 6)) + (i % 6))).ToArray());

    public static byte[] IdxLabels(params byte[] labels) => Idx(8, [labels.Length], labels);

    /// <summary>A record of CIFAR-10 whose planes are of one value each.</summary>
    public static byte[] Cifar(byte label, byte red, byte green, byte blue) =>
        [label, .. Enumerable.Repeat(red, 1024), .. Enumerable.Repeat(green, 1024), .. Enumerable.Repeat(blue, 1024)];

    public static byte[] Gzip(byte[] content)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Optimal))
            gzip.Write(content);
        return memory.ToArray();
    }
}
