namespace MLExtensions.Persistence;

/// <summary>Writes files so that a reader sees the old content or the new content, never a part of it.</summary>
internal static class AtomicFile
{
    /// <summary>Writes a file aside, in the same folder, and renames it over <paramref name="path"/> when it is complete and on disk.</summary>
    /// <param name="path">The file; its folder is created when missing.</param>
    /// <param name="write">Writes the content. If it throws, <paramref name="path"/> is as before and nothing is left behind.</param>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(write);
        var target = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(target) ?? throw new ArgumentException($"'{path}' is a folder, not a file.", nameof(path));
        Directory.CreateDirectory(folder);
        // The name is kept short: a target whose own name is as long as the file system allows must still work.
        var aside = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(aside, target, overwrite: true);
        }
        catch
        {
            Discard(aside);
            throw;
        }
    }

    private static void Discard(string aside)
    {
        try
        {
            File.Delete(aside);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What made the writing fail is worth more to the caller than this.
        }
    }
}
