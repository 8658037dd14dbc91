namespace MLExtensions.Persistence;

/// <summary>Writes files so that a reader sees either the old or the new content, never a part of it.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes a temporary file in the same folder, and renames it to <paramref name="path"/> when it is complete and on disk.
    /// </summary>
    /// <param name="path">The file. Its folder is created if necessary.</param>
    /// <param name="write">Writes the content. If it throws, <paramref name="path"/> is unchanged and no temporary file remains.</param>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(write);
        var target = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(target) ?? throw new ArgumentException($"'{path}' is a folder, not a file.", nameof(path));
        Directory.CreateDirectory(folder);
        // The name is short, so that a target with the longest allowed name still works.
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
            // The original exception is more useful to the caller than this one.
        }
    }
}
