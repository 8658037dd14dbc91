using System.Buffers.Binary;
using System.Text;

namespace MLExtensions.TensorBoard;

/// <summary>The messages of an event file (tensorboard/compat/proto/event.proto, summary.proto, tensor.proto).</summary>
internal static class EventMessages
{
    private const int StringTensor = 7;

    private static readonly byte[] PngSignature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public static ProtobufWriter FileVersion(double wallTime) =>
        new ProtobufWriter().Double(1, wallTime).String(3, "brain.Event:2");

    public static ProtobufWriter Event(double wallTime, long step, params ReadOnlySpan<ProtobufWriter> values)
    {
        var summary = new ProtobufWriter();
        foreach (var value in values)
            summary.Message(1, value);
        return new ProtobufWriter().Double(1, wallTime).Int64(2, step).Message(5, summary);
    }

    public static ProtobufWriter Scalar(string tag, double value) => Value(tag).Float(2, (float)value);

    public static ProtobufWriter Histogram(string tag, Histogram histogram)
    {
        var message = new ProtobufWriter()
            .Double(1, histogram.Minimum)
            .Double(2, histogram.Maximum)
            .Double(3, histogram.Count)
            .Double(4, histogram.Sum)
            .Double(5, histogram.SumOfSquares)
            .PackedDoubles(6, histogram.Limits)
            .PackedDoubles(7, histogram.Counts);
        return Value(tag).Message(5, message);
    }

    /// <exception cref="ArgumentException">The bytes are not a PNG of this size.</exception>
    public static ProtobufWriter Image(string tag, byte[] png, int width, int height)
    {
        var (actualWidth, actualHeight, channels) = ReadPngHeader(png);
        if (actualWidth != width || actualHeight != height)
            throw new ArgumentException(FormattableString.Invariant($"Image '{tag}' is {actualWidth} x {actualHeight} pixels, not {width} x {height}."), nameof(png));
        var message = new ProtobufWriter().Int64(1, height).Int64(2, width).Int64(3, channels).Bytes(4, png);
        return Value(tag).Message(4, message);
    }

    public static ProtobufWriter Text(string tag, string text)
    {
        var oneElement = new ProtobufWriter().Message(2, new ProtobufWriter().Int64(1, 1));
        var tensor = new ProtobufWriter().Int64(1, StringTensor).Message(2, oneElement).String(8, text);
        var plugin = new ProtobufWriter().String(1, "text");
        return Value(tag).Message(8, tensor).Message(9, new ProtobufWriter().Message(1, plugin));
    }

    private static ProtobufWriter Value(string tag)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(tag);
        return new ProtobufWriter().String(1, tag);
    }

    private static (int Width, int Height, int Channels) ReadPngHeader(ReadOnlySpan<byte> png)
    {
        if (png.Length < 26 || !png.StartsWith(PngSignature))
            throw new ArgumentException("The image is not a PNG.", nameof(png));
        var width = BinaryPrimitives.ReadInt32BigEndian(png[16..]);
        var height = BinaryPrimitives.ReadInt32BigEndian(png[20..]);
        var channels = png[25] switch
        {
            0 => 1,
            4 => 2,
            6 => 4,
            _ => 3,
        };
        return (width, height, channels);
    }
}

/// <summary>
/// Builds one protocol-buffers message, field by field (https://protobuf.dev/programming-guides/encoding). Supports only
/// what event files need.
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
            RawDouble(value);
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
