using System.Buffers.Binary;
using System.Globalization;

namespace MLExtensions.Loading;

/// <summary>
/// The header of a file in the IDX format of MNIST: two zero bytes, the type of the values (8: bytes), the number of dimensions,
/// the dimensions as big-endian 32-bit numbers.
/// </summary>
internal static class IdxHeader
{
    private const uint UnsignedBytes = 0x0800;

    /// <summary>Reads the dimensions and compares them with the file's size.</summary>
    /// <param name="names">What the dimensions are called.</param>
    public static int[] Read(DataFile file, params string[] names)
    {
        using var content = file.OpenContent();
        var expected = UnsignedBytes | (uint)names.Length;
        var magic = ReadNumber(file, content);
        if (magic != expected)
            throw file.Wrong($"it begins with 0x{magic:x8}; an IDX file of bytes in {names.Length} dimensions ({string.Join(", ", names)}) begins with 0x{expected:x8}");
        var dimensions = new int[names.Length];
        UInt128 size = (uint)SizeOf(names.Length);
        UInt128 values = 1;
        for (var i = 0; i < names.Length; i++)
        {
            dimensions[i] = Dimension(file, ReadNumber(file, content), names[i], least: i == 0 ? 0u : 1u);
            values *= (uint)dimensions[i];
        }
        file.CheckSize(size + values, $"the dimensions {string.Join(" x ", dimensions)} of its header");
        return dimensions;
    }

    /// <summary>The header's own size in bytes.</summary>
    public static int SizeOf(int dimensionCount) => sizeof(uint) * (1 + dimensionCount);

    private static int Dimension(DataFile file, uint value, string name, uint least) =>
        value >= least && value <= int.MaxValue
            ? (int)value
            : throw file.Wrong(string.Create(CultureInfo.InvariantCulture, $"the header gives {(int)value:N0} as its {name}; that must be at least {least}"));

    private static uint ReadNumber(DataFile file, Stream content)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        if (!file.TryReadExactly(content, bytes, $"the header"))
            throw file.Wrong("it is cut off in the header");
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
