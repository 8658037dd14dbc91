using System.IO.Compression;

namespace MLExtensions.Loading;

/// <summary>Decompresses gzipped data and throws if it is truncated; <see cref="GZipStream"/> treats that as the end.</summary>
/// <remarks>
/// Gzipped data may have several members, which are decompressed one after the other. A member with known content is appended to the data:
/// if that content appears at the end, everything before it was complete.
/// </remarks>
internal sealed class WholeGzipStream : ReadOnlyStream
{
    private const int BufferSize = 1 << 16;

    private static readonly byte[] Mark = Convert.FromHexString("9D1F5C0B73E846A2B1C4D70E8A65F392");
    private static readonly byte[] MarkMember = Compress(Mark);

    private readonly GZipStream _content;
    private readonly byte[] _buffer = new byte[BufferSize];
    private int _start;
    private int _end;
    private bool _isAtEnd;

    public WholeGzipStream(Stream compressed)
    {
        _content = new GZipStream(new Appended(compressed, MarkMember), CompressionMode.Decompress);
    }

    /// <exception cref="InvalidDataException">The data is damaged or truncated.</exception>
    public override int Read(Span<byte> buffer)
    {
        while (_end - _start <= Mark.Length && !_isAtEnd)
            Fill();
        var count = Math.Min(buffer.Length, _end - _start - Mark.Length);
        _buffer.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _content.Dispose();
        base.Dispose(disposing);
    }

    private void Fill()
    {
        var rest = _buffer.AsSpan(_start, _end - _start);
        rest.CopyTo(_buffer);
        _start = 0;
        _end = rest.Length;
        var count = _content.Read(_buffer.AsSpan(_end));
        _end += count;
        _isAtEnd = count == 0;
        if (_isAtEnd && !_buffer.AsSpan(0, _end).SequenceEqual(Mark))
            throw new InvalidDataException("The gzipped data is truncated.");
    }

    private static byte[] Compress(byte[] content)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.NoCompression))
            gzip.Write(content);
        return memory.ToArray();
    }

    private sealed class Appended(Stream first, byte[] second) : ReadOnlyStream
    {
        private int _secondRead;

        public override int Read(Span<byte> buffer)
        {
            var count = first.Read(buffer);
            if (count > 0 || buffer.IsEmpty)
                return count;
            count = Math.Min(buffer.Length, second.Length - _secondRead);
            second.AsSpan(_secondRead, count).CopyTo(buffer);
            _secondRead += count;
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                first.Dispose();
            base.Dispose(disposing);
        }
    }
}

/// <summary>Base class of streams that are read once, from the beginning to the end.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override int Read(Span<byte> buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
