using System.Buffers.Binary;
using System.Numerics;

namespace MLExtensions.TensorBoard;

/// <summary>
/// Writes a TensorBoard event file. Several threads may write at once. Everything written is in the file after <see cref="Flush"/> or
/// <see cref="Dispose"/>.
/// </summary>
internal sealed class EventWriter : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly FileStream _stream;
    private bool _disposed;

    /// <summary>Starts a new file in a folder, which is created if necessary. TensorBoard shows a folder as one run.</summary>
    public EventWriter(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        Directory.CreateDirectory(folder);
        var machine = string.Concat(Environment.MachineName.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        var seconds = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Path = System.IO.Path.Combine(folder, FormattableString.Invariant($"events.out.tfevents.{seconds}.{machine}.{Guid.NewGuid():N}"));
        // TensorBoard reads the file during writing.
        _stream = new FileStream(Path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, BufferBytes);
        Append(EventMessages.FileVersion(Now()));
        Flush();
    }

    public string Path { get; }

    /// <summary>Writes a point of a curve, in single precision.</summary>
    public void Scalar(string tag, double value, long step) =>
        Append(EventMessages.Event(Now(), step, EventMessages.Scalar(tag, value)));

    /// <summary>
    /// Writes the distribution of the finite values. If there are others, their number is written as the scalar "tag/non-finite".
    /// </summary>
    public void Histogram(string tag, ReadOnlySpan<float> values, long step)
    {
        var histogram = new Histogram(values);
        var message = EventMessages.Histogram(tag, histogram);
        Append(histogram.NonFinite == 0
            ? EventMessages.Event(Now(), step, message)
            : EventMessages.Event(Now(), step, message, EventMessages.Scalar(tag + "/non-finite", histogram.NonFinite)));
    }

    /// <param name="tag">The name of the picture.</param>
    /// <param name="png">A complete PNG file.</param>
    /// <param name="width">The width in pixels.</param>
    /// <param name="height">The height in pixels.</param>
    /// <param name="step">The step it belongs to.</param>
    /// <exception cref="ArgumentException"><paramref name="png"/> is not a PNG of that size.</exception>
    public void Image(string tag, byte[] png, int width, int height, long step) =>
        Append(EventMessages.Event(Now(), step, EventMessages.Image(tag, png, width, height)));

    /// <summary>Writes a text, which TensorBoard shows as Markdown.</summary>
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
