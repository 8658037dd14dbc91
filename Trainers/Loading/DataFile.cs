using System.Globalization;

namespace MLExtensions.Loading;

/// <summary>A data file, plain or gzipped, which is recognized by its first bytes.</summary>
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

    /// <summary>The size of the file in bytes.</summary>
    public long Size { get; }

    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    public static DataFile Find(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"The file '{path}' does not exist.", path);
        using var stream = File.OpenRead(path);
        return new DataFile(path, stream.Length, stream.ReadByte() == 0x1f && stream.ReadByte() == 0x8b);
    }

    /// <summary>Opens the decompressed content at its beginning.</summary>
    public Stream OpenContent()
    {
        var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize);
        return IsCompressed ? new WholeGzipStream(file) : file;
    }

    /// <summary>
    /// Rejects a content size that the file size rules out. The content size of a gzipped file is known only after it was read.
    /// </summary>
    /// <param name="size">The size that the content must have, in bytes.</param>
    /// <param name="because">What that size is computed from, for messages.</param>
    public void CheckSize(UInt128 size, string because)
    {
        if (!IsCompressed && size != (UInt128)Size)
            throw Wrong(string.Create(CultureInfo.InvariantCulture, $"it has {Size:N0} bytes, but {because} require {size:N0}; it is {((UInt128)Size < size ? "truncated" : "too long")}"));
        if (IsCompressed && size > (UInt128)Size * LargestRatio)
            throw Wrong(string.Create(CultureInfo.InvariantCulture, $"{because} require {size:N0} bytes, more than a gzipped file of {Size:N0} bytes can hold"));
    }

    /// <summary>Reads into the span, and fills it completely except at the end of the content.</summary>
    /// <param name="what">What is read, for messages.</param>
    /// <returns>The number of bytes read.</returns>
    public int Read(Stream content, Span<byte> destination, FormattableString what)
    {
        try
        {
            return content.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw Wrong($"the gzipped data is damaged or truncated at {FormattableString.Invariant(what)}", e);
        }
    }

    /// <summary>Fills the span, or reads nothing at the end of the content.</summary>
    /// <param name="what">What is read, for messages.</param>
    public bool TryReadExactly(Stream content, Span<byte> destination, FormattableString what)
    {
        var count = Read(content, destination, what);
        if (count == 0 && destination.Length > 0)
            return false;
        return count == destination.Length ? true : throw Wrong($"it is truncated in {FormattableString.Invariant(what)}");
    }

    public FormatException Wrong(string problem, Exception? inner = null) => new($"'{Path}': {problem}.", inner);
}
