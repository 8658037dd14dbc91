using System.Buffers.Binary;
using System.Text;

namespace MLExtensions.Scoring.OnnxRuntime;

/// <summary>Writes a message of protocol buffers, as much of the format as ONNX needs.</summary>
internal sealed class Protobuf
{
    private const int Varint = 0;
    private const int LengthDelimited = 2;
    private const int Fixed32 = 5;

    private readonly MemoryStream _stream = new();

    public Protobuf Number(int field, long value)
    {
        Tag(field, Varint);
        Write((ulong)value);
        return this;
    }

    public Protobuf Float(int field, float value)
    {
        Tag(field, Fixed32);
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _stream.Write(bytes);
        return this;
    }

    public Protobuf Bytes(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, LengthDelimited);
        Write((ulong)value.Length);
        _stream.Write(value);
        return this;
    }

    public Protobuf Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public Protobuf Message(int field, Protobuf value) => Bytes(field, value._stream.GetBuffer().AsSpan(0, (int)value._stream.Length));

    public byte[] ToArray() => _stream.ToArray();

    private void Tag(int field, int type) => Write(((ulong)field << 3) | (uint)type);

    private void Write(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _stream.WriteByte((byte)(value | 0x80));
        _stream.WriteByte((byte)value);
    }
}
