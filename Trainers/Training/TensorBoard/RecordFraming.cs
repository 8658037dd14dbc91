using System.Buffers.Binary;
using System.Numerics;

namespace MLExtensions.Training.TensorBoard;

/// <summary>TensorFlow's record format: length, its checksum, the data, its checksum (core/lib/io/record_writer.h).</summary>
internal static class RecordFraming
{
    private const uint MaskDelta = 0xA282EAD8;

    public static void Write(Stream stream, ReadOnlySpan<byte> record)
    {
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)record.Length);
        stream.Write(length);
        WriteChecksum(stream, length);
        stream.Write(record);
        WriteChecksum(stream, record);
    }

    private static void WriteChecksum(Stream stream, ReadOnlySpan<byte> data)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Mask(Crc32C(data)));
        stream.Write(bytes);
    }

    // Stored checksums are masked because a CRC over data that contains CRCs is weak.
    private static uint Mask(uint crc) => BitOperations.RotateRight(crc, 15) + MaskDelta;

    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        while (data.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[sizeof(ulong)..];
        }
        foreach (var value in data)
        {
            crc = BitOperations.Crc32C(crc, value);
        }
        return ~crc;
    }
}
