using System.Globalization;

namespace MLExtensions.Loading;

/// <summary>A file of data, plain or gzipped; its first bytes tell which.</summary>
internal sealed class DataFile
{
    private const int BufferSize = 1 << 16;
    private const long LargestRatio = 1032; // of the deflate format: 258 bytes in two bits

    private DataFile(string path, long size, bool isCompressed)
    {
        Path = path;
        IsCompressed = isCompressed;
        Size = size;
    }

    public string Path { get; }

    public bool IsCompressed { get; }

    /// <summary>The file's own size in bytes.</summary>
    public long Size { get; }

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static DataFile Find(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file '{path}'.", path);
        using var stream = File.OpenRead(path);
        return new DataFile(path, stream.Length, stream.ReadByte() == 0x1f && stream.ReadByte() == 0x8b);
    }

    /// <summary>The content, decompressed, from its beginning.</summary>
    public Stream OpenContent()
    {
        var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize);
        return IsCompressed ? new WholeGzipStream(file) : file;
    }

    /// <summary>Refuses a content that the file's size rules out; a gzipped file's is known in full only when it was read.</summary>
    /// <param name="size">The size that the content must have, in bytes.</param>
    /// <param name="because">Where that size comes from.</param>
    public void CheckSize(UInt128 size, string because)
    {
        if (!IsCompressed && size != (UInt128)Size)
            throw Wrong(string.Create(CultureInfo.InvariantCulture, $"it has {Size:N0} bytes where {because} make {size:N0}; it is {((UInt128)Size < size ? "cut off" : "too long")}"));
        if (IsCompressed && size > (UInt128)Size * LargestRatio)
            throw Wrong(string.Create(CultureInfo.InvariantCulture, $"{because} make {size:N0} bytes, more than a gzipped file of {Size:N0} bytes can hold"));
    }

    /// <summary>Reads into the span; less than the whole of it at the content's end only.</summary>
    /// <param name="what">What is read, for messages.</param>
    /// <returns>The number of bytes.</returns>
    public int Read(Stream content, Span<byte> destination, FormattableString what)
    {
        try
        {
            return content.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw Wrong($"the gzipped data is damaged or cut off at {FormattableString.Invariant(what)}", e);
        }
    }

    /// <summary>Reads into the whole span, or nothing at the content's end.</summary>
    /// <param name="what">What is read, for messages.</param>
    public bool TryReadExactly(Stream content, Span<byte> destination, FormattableString what)
    {
        var count = Read(content, destination, what);
        if (count == 0 && destination.Length > 0)
            return false;
        return count == destination.Length ? true : throw Wrong($"it is cut off in {FormattableString.Invariant(what)}");
    }

    public FormatException Wrong(string problem, Exception? inner = null) => new($"'{Path}': {problem}.", inner);
}
