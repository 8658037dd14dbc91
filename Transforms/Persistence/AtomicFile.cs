using System.Text.RegularExpressions;

namespace MLExtensions.Persistence;

/// <summary>Writes files so that a reader sees either the old or the new content, never a part of it.</summary>
internal static partial class AtomicFile
{
    private const int CreationTries = 20;

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
        RemoveLeftovers(folder);
        // Open until it is renamed: that it is in use tells other writers that it is not a leftover.
        using var stream = Create(folder);
        var aside = stream.Name;
        try
        {
            write(stream);
            stream.Flush(flushToDisk: true);
            File.Move(aside, target, overwrite: true);
        }
        catch
        {
            Discard(aside);
            throw;
        }
    }

    /// <summary>
    /// Creates the temporary file. On Unix another writer can take it for a leftover between its creation and its locking; then there is
    /// another one.
    /// </summary>
    private static FileStream Create(string folder)
    {
        for (var left = CreationTries; ; left--)
        {
            // The name is short, so that a target with the longest allowed name still works.
            var path = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
            try
            {
                var stream = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
                if (left == 0 || File.Exists(path))
                    return stream;
                stream.Dispose();
            }
            catch (IOException) when (left > 0 && !OperatingSystem.IsWindows() && Directory.Exists(folder))
            {
                // It is being removed.
            }
        }
    }

    /// <summary>Removes the temporary files of writes that were killed. Files that are being written are kept.</summary>
    public static void RemoveLeftovers(string folder)
    {
        try
        {
            foreach (var path in Directory.EnumerateFiles(folder, ".*.tmp"))
            {
                if (TemporaryName().IsMatch(Path.GetFileName(path)))
                    RemoveLeftover(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They are in nobody's way.
        }
    }

    private static void RemoveLeftover(string path)
    {
        try
        {
            new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is being written.
        }
    }

    [GeneratedRegex(@"^\.[0-9a-f]{32}\.tmp$")]
    private static partial Regex TemporaryName();

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
