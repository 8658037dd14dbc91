using System.Text.RegularExpressions;

namespace MLExtensions.Persistence;

/// <summary>Writes files so that a reader sees either the old or the new content, never a part of it.</summary>
internal static partial class AtomicFile
{
    /// <summary>A younger file may have been created this moment by another writer, which has not locked it yet.</summary>
    internal static readonly TimeSpan LeastAge = TimeSpan.FromMinutes(1);

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
        // The name is short, so that a target with the longest allowed name still works.
        var aside = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            // Open until it is renamed: that it is in use tells other writers that it is not a leftover.
            using var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
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

    /// <summary>Removes the temporary files of writes that were killed a minute ago or before. Files that are being written are kept.</summary>
    public static void RemoveLeftovers(string folder)
    {
        try
        {
            foreach (var path in Directory.EnumerateFiles(folder, ".*.tmp"))
            {
                if (TemporaryName().IsMatch(Path.GetFileName(path)) && DateTime.UtcNow - File.GetLastWriteTimeUtc(path) > LeastAge)
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
