using System.Text;

namespace MLExtensions.Loading;

/// <summary>Reads the lines of a file as bytes. Lines end with a line feed, optionally after a carriage return.</summary>
internal sealed class LineReader(DataFile file) : IDisposable
{
    private const int BufferSize = 1 << 16;
    private const int LongestLine = 1 << 29; // in bytes

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Stream _content = file.OpenContent();
    private byte[] _buffer = new byte[BufferSize];
    private int _lineStart;
    private int _lineLength;
    private int _next;
    private int _end;
    private long _lineNumber;

    /// <summary>The number of the current line, from 1.</summary>
    public long LineNumber => _lineNumber;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    public bool MoveNext()
    {
        _lineStart = _next;
        _lineNumber++;
        var searched = 0;
        while (true)
        {
            var found = _buffer.AsSpan(_lineStart + searched, _end - _lineStart - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                _lineLength = searched + found;
                _next = _lineStart + _lineLength + 1;
                return true;
            }
            searched = _end - _lineStart;
            if (!ReadMore())
                break;
        }
        _lineLength = searched;
        _next = _end;
        return searched > 0;
    }

    /// <exception cref="FormatException">The line is not UTF-8.</exception>
    public string DecodeCurrent()
    {
        ReadOnlySpan<byte> line = _buffer.AsSpan(_lineStart, _lineLength);
        if (_lineNumber == 1 && line.StartsWith(ByteOrderMark))
            line = line[ByteOrderMark.Length..];
        if (line.EndsWith("\r"u8))
            line = line[..^1];
        try
        {
            return Utf8.GetString(line);
        }
        catch (DecoderFallbackException e)
        {
            var bytes = string.Join(' ', (e.BytesUnknown ?? []).Select(value => $"0x{value:X2}"));
            throw file.Wrong(FormattableString.Invariant($"line {_lineNumber} is not valid UTF-8: it has {bytes} at byte {e.Index}; the file must be UTF-8"), e);
        }
    }

    public void Dispose() => _content.Dispose();

    /// <summary>Reads more of the line, whose beginning moves to the front of the buffer.</summary>
    private bool ReadMore()
    {
        var length = _end - _lineStart;
        if (length >= LongestLine)
            throw file.Wrong(FormattableString.Invariant($"line {_lineNumber} is longer than {LongestLine} bytes"));
        var buffer = length > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
        _buffer.AsSpan(_lineStart, length).CopyTo(buffer);
        _buffer = buffer;
        _lineStart = 0;
        var count = file.Read(_content, _buffer.AsSpan(length), $"line {_lineNumber}");
        _end = length + count;
        return count > 0;
    }
}
