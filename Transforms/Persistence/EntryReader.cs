using Microsoft.ML;

namespace MLExtensions.Persistence;

/// <summary>
/// Reads an entry whose content is not trusted: every failure is a <see cref="ModelFormatException"/> that names the entry, and memory is
/// allocated only for bytes that have arrived.
/// </summary>
internal sealed class EntryReader(Stream stream, string entryName)
{
    private const int FirstBuffer = 64 * 1024;

    public string EntryName { get; } = entryName;

    /// <summary>The number of bytes left, or null if the stream does not know it (for example inside a .zip).</summary>
    public long? Remaining => stream.CanSeek ? Math.Max(0, stream.Length - stream.Position) : null;

    public ModelFormatException Fail(string problem, Exception? inner = null) => new(EntryName, problem, inner);

    public void ReadExactly(Span<byte> destination, string what)
    {
        while (destination.Length > 0)
        {
            var read = ReadSome(destination);
            if (read == 0)
                throw Truncated(what, destination.Length);
            destination = destination[read..];
        }
    }

    /// <summary>Reads <paramref name="length"/> bytes into a buffer that grows as they arrive.</summary>
    public byte[] ReadGrowing(int length, string what)
    {
        var buffer = new byte[Math.Min(length, FirstBuffer)];
        var have = 0;
        while (have < length)
        {
            if (have == buffer.Length)
                Array.Resize(ref buffer, (int)Math.Min(length, 2L * buffer.Length));
            var read = ReadSome(buffer.AsSpan(have));
            if (read == 0)
                throw Truncated(what, length - have);
            have += read;
        }
        return buffer;
    }

    /// <summary>Reads to the end of the entry.</summary>
    /// <param name="limit">The maximum number of bytes; a longer entry is rejected.</param>
    public byte[] ReadToEnd(int limit)
    {
        using var content = new MemoryStream();
        var buffer = new byte[FirstBuffer];
        int read;
        while ((read = ReadSome(buffer)) > 0)
        {
            if (content.Length + read > limit)
                throw Fail(FormattableString.Invariant($"is longer than the {limit} bytes allowed"));
            content.Write(buffer, 0, read);
        }
        return content.ToArray();
    }

    public void ExpectEnd()
    {
        Span<byte> one = stackalloc byte[1];
        if (ReadSome(one) != 0)
            throw Fail("has bytes after its end; the file is damaged or two files were joined");
    }

    private ModelFormatException Truncated(string what, int missing) =>
        Fail(FormattableString.Invariant($"ends inside {what}, at least {missing} bytes are missing; the file is truncated"));

    private int ReadSome(Span<byte> destination)
    {
        try
        {
            return stream.Read(destination);
        }
        catch (InvalidDataException e)
        {
            throw Fail("cannot be decompressed: " + e.Message, e);
        }
    }
}

/// <summary>Reads entries of a model's folder in the .zip.</summary>
internal static class ModelEntry
{
    /// <summary>Reads a whole entry.</summary>
    /// <exception cref="ModelFormatException">The entry is missing, damaged, or longer than <paramref name="limit"/>.</exception>
    public static byte[] Read(ModelLoadContext ctx, string entry, int limit) =>
        Read(ctx, entry, stream => new EntryReader(stream, entry).ReadToEnd(limit));

    /// <summary>Reads an entry with a function.</summary>
    /// <exception cref="ModelFormatException">The entry is missing or cannot be decompressed.</exception>
    public static T Read<T>(ModelLoadContext ctx, string entry, Func<Stream, T> read)
        where T : class
    {
        T? value = null;
        try
        {
            ctx.TryLoadBinaryStream(entry, reader => value = read(reader.BaseStream));
        }
        catch (InvalidDataException e)
        {
            throw new ModelFormatException(entry, "cannot be decompressed: " + e.Message, e);
        }
        return value ?? throw new ModelFormatException(entry, "is missing from the model");
    }
}
