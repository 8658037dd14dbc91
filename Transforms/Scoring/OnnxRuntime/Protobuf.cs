using System.Buffers.Binary;
using System.Text;

namespace MLExtensions.Scoring.OnnxRuntime;

/// <summary>Writes a message of protocol buffers, as much of the format as ONNX needs. Weights and messages inside are not copied before the end.</summary>
internal sealed class Protobuf
{
    private const int Varint = 0;
    private const int LengthDelimited = 2;
    private const int Fixed32 = 5;

    private readonly List<(Array Values, int Bytes)> _parts = [];
    private readonly MemoryStream _open = new();
    private long _length;

    /// <summary>The number of bytes.</summary>
    public long Length => _length + _open.Length;

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
        _open.Write(bytes);
        return this;
    }

    public Protobuf Text(int field, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        return Values(field, bytes, bytes.Length);
    }

    /// <summary>Numbers as they are in memory, which is little-endian; the array must not change.</summary>
    public Protobuf Values(int field, Array values, int bytes)
    {
        Tag(field, LengthDelimited);
        Write((ulong)bytes);
        Close();
        _parts.Add((values, bytes));
        _length += bytes;
        return this;
    }

    /// <summary>A message, which must not change.</summary>
    public Protobuf Message(int field, Protobuf value)
    {
        value.Close();
        Tag(field, LengthDelimited);
        Write((ulong)value._length);
        Close();
        _parts.AddRange(value._parts);
        _length += value._length;
        return this;
    }

    /// <exception cref="NotSupportedException">An array cannot be as large.</exception>
    public byte[] ToArray()
    {
        Close();
        if (_length > Array.MaxLength)
            throw new NotSupportedException(FormattableString.Invariant($"The network as a graph has {_length} bytes; there can be {Array.MaxLength}."));
        var bytes = GC.AllocateUninitializedArray<byte>((int)_length);
        var at = 0;
        foreach (var (values, count) in _parts)
        {
            Buffer.BlockCopy(values, 0, bytes, at, count);
            at += count;
        }
        return bytes;
    }

    private void Close()
    {
        if (_open.Length == 0)
            return;
        _parts.Add((_open.ToArray(), (int)_open.Length));
        _length += _open.Length;
        _open.SetLength(0);
    }

    private void Tag(int field, int type) => Write(((ulong)field << 3) | (uint)type);

    private void Write(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _open.WriteByte((byte)(value | 0x80));
        _open.WriteByte((byte)value);
    }
}
