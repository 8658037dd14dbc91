using Microsoft.ML;

namespace MLExtensions.Persistence;

/// <summary>Entries of a model's folder in the .zip.</summary>
internal static class ModelEntry
{
    /// <summary>Reads a whole entry.</summary>
    /// <exception cref="ModelFormatException">It is missing, damaged, or longer than <paramref name="limit"/>.</exception>
    public static byte[] Read(ModelLoadContext ctx, string entry, int limit) =>
        Read(ctx, entry, stream => new EntryReader(stream, entry).ReadToEnd(limit));

    /// <summary>Reads something out of an entry.</summary>
    /// <exception cref="ModelFormatException">It is missing or cannot be unpacked.</exception>
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
            throw new ModelFormatException(entry, "cannot be unpacked: " + e.Message, e);
        }
        return value ?? throw new ModelFormatException(entry, "is missing from the model");
    }
}
