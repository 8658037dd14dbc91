using System.Buffers.Binary;
using System.IO.Compression;

namespace MLExtensions.Examples.Mnist;

/// <summary>
/// A file in the IDX format of MNIST, plain or gzipped: two zero bytes, the type of the values (8: bytes), the number of
/// dimensions, the dimensions as big-endian 32-bit numbers, the values.
/// </summary>
internal sealed record IdxFile(int[] Dimensions, byte[] Values)
{
    private const byte UnsignedByte = 8;
    private const long LargestSize = 1 << 30;

    /// <param name="folder">The folder of the file.</param>
    /// <param name="name">The file's name without <c>.gz</c>.</param>
    /// <param name="dimensionCount">How many dimensions it must have.</param>
    /// <exception cref="FileNotFoundException">Neither the file nor its gzipped form is there.</exception>
    /// <exception cref="InvalidDataException">It is not such a file, cut off or too long.</exception>
    public static IdxFile Read(string folder, string name, int dimensionCount)
    {
        var path = Path.Combine(folder, name);
        if (!File.Exists(path))
            path += ".gz";
        if (!File.Exists(path))
            throw new FileNotFoundException($"Neither {name} nor {name}.gz is in the folder '{folder}'.");
        using var file = File.OpenRead(path);
        using Stream stream = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        try
        {
            return Read(stream, dimensionCount);
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException($"{path} is cut off.");
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    private static IdxFile Read(Stream stream, int dimensionCount)
    {
        var magic = ReadNumber(stream);
        var expected = (uint)((UnsignedByte << 8) | dimensionCount);
        if (magic != expected)
            throw new InvalidDataException($"it begins with 0x{magic:x8}; an IDX file of bytes in {dimensionCount} dimensions begins with 0x{expected:x8}.");
        var dimensions = new int[dimensionCount];
        long size = 1;
        for (var i = 0; i < dimensions.Length; i++)
        {
            var dimension = ReadNumber(stream);
            size = dimension <= LargestSize ? size * dimension : LargestSize + 1;
            if (size > LargestSize)
                throw new InvalidDataException($"dimension {i + 1} of {dimensionCount} is {dimension}, which makes more than {LargestSize:N0} values.");
            dimensions[i] = (int)dimension;
        }
        var values = new byte[size];
        stream.ReadExactly(values);
        if (stream.ReadByte() >= 0)
            throw new InvalidDataException($"it goes on after its {size:N0} values.");
        return new IdxFile(dimensions, values);
    }

    private static uint ReadNumber(Stream stream)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        stream.ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
