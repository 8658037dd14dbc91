using System.Buffers.Binary;
using System.Numerics;

namespace MLExtensions.TensorBoard;

/// <summary>
/// Writes a TensorBoard event file. Any number of threads may write at once. What was written is sure to be in the
/// file after <see cref="Flush"/> or <see cref="Dispose"/>.
/// </summary>
internal sealed class EventWriter : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly FileStream _stream;
    private bool _disposed;

    /// <summary>Starts a new file in a folder, which is created when missing and which TensorBoard shows as one run.</summary>
    public EventWriter(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        Directory.CreateDirectory(folder);
        var machine = string.Concat(Environment.MachineName.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        var seconds = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Path = System.IO.Path.Combine(folder, $"events.out.tfevents.{seconds}.{machine}.{Guid.NewGuid():N}");
        // TensorBoard reads while we write.
        _stream = new FileStream(Path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, BufferBytes);
        Append(EventMessages.FileVersion(Now()));
        Flush();
    }

    public string Path { get; }

    /// <summary>A point of a curve. The format keeps single precision.</summary>
    public void Scalar(string tag, double value, long step) =>
        Append(EventMessages.Event(Now(), step, EventMessages.Scalar(tag, value)));

    /// <summary>The distribution of the finite values; the number of others becomes a scalar "tag/non-finite" when there are any.</summary>
    public void Histogram(string tag, ReadOnlySpan<float> values, long step)
    {
        var histogram = new Histogram(values);
        var message = EventMessages.Histogram(tag, histogram);
        Append(histogram.NonFinite == 0
            ? EventMessages.Event(Now(), step, message)
            : EventMessages.Event(Now(), step, message, EventMessages.Scalar(tag + "/non-finite", histogram.NonFinite)));
    }

    /// <param name="tag">The picture's name.</param>
    /// <param name="png">A complete PNG file.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="step">The step it belongs to.</param>
    /// <exception cref="ArgumentException"><paramref name="png"/> is no PNG of that size.</exception>
    public void Image(string tag, byte[] png, int width, int height, long step) =>
        Append(EventMessages.Event(Now(), step, EventMessages.Image(tag, png, width, height)));

    /// <summary>A text, which TensorBoard shows as Markdown.</summary>
    public void Text(string tag, string text, long step) =>
        Append(EventMessages.Event(Now(), step, EventMessages.Text(tag, text)));

    public void Flush()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _stream.Flush();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _stream.Dispose();
        }
    }

    /// <summary>Seconds since 1970, to the microsecond.</summary>
    private static double Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond / 1e6;

    private void Append(ProtobufWriter message)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            RecordFraming.Write(_stream, message.Content);
        }
    }
}

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
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
