using System.Buffers.Binary;
using System.Text;

namespace MLExtensions.Training.TensorBoard;

/// <summary>
/// Builds one protocol-buffers message, field by field (https://protobuf.dev/programming-guides/encoding).
/// Just what event files need.
/// </summary>
internal sealed class ProtobufWriter
{
    private const int VarintType = 0;
    private const int Fixed64Type = 1;
    private const int BytesType = 2;
    private const int Fixed32Type = 5;

    private readonly MemoryStream _content = new();

    public ReadOnlySpan<byte> Content => _content.GetBuffer().AsSpan(0, (int)_content.Length);

    public ProtobufWriter Int64(int field, long value)
    {
        Key(field, VarintType);
        Varint((ulong)value);
        return this;
    }

    public ProtobufWriter Float(int field, float value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        Key(field, Fixed32Type);
        _content.Write(bytes);
        return this;
    }

    public ProtobufWriter Double(int field, double value)
    {
        Key(field, Fixed64Type);
        RawDouble(value);
        return this;
    }

    public ProtobufWriter PackedDoubles(int field, IReadOnlyCollection<double> values)
    {
        Key(field, BytesType);
        Varint((ulong)values.Count * sizeof(double));
        foreach (var value in values)
        {
            RawDouble(value);
        }
        return this;
    }

    public ProtobufWriter Bytes(int field, ReadOnlySpan<byte> value)
    {
        Key(field, BytesType);
        Varint((ulong)value.Length);
        _content.Write(value);
        return this;
    }

    public ProtobufWriter String(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public ProtobufWriter Message(int field, ProtobufWriter message) => Bytes(field, message.Content);

    private void Key(int field, int wireType) => Varint(((ulong)field << 3) | (uint)wireType);

    private void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            _content.WriteByte((byte)(value | 0x80));
            value >>= 7;
        }
        _content.WriteByte((byte)value);
    }

    private void RawDouble(double value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        _content.Write(bytes);
    }
}
