using MLExtensions.Engine;
using MLExtensions.Persistence;

namespace MLExtensions.Training;

/// <summary>Finds out before a training whether its files can be written.</summary>
internal static class OutputFolders
{
    /// <exception cref="IOException">A folder cannot be created or written to; the message names the option and the folder.</exception>
    public static void Check(TrainingOptions options)
    {
        Check(options.CheckpointFolder, nameof(options.CheckpointFolder));
        Check(options.TensorBoardFolder, nameof(options.TensorBoardFolder));
        if (options.MoreFolder is { } more)
            Check(more.Folder, more.Option);
    }

    /// <summary>The exception for a file of an option's folder that could not be written.</summary>
    public static IOException NotWritable(string option, string folder, Exception cause) =>
        new($"{option} is '{folder}'; it cannot be written to: {cause.Message} It must be a folder, or the name of a new one, with write permission and space.", cause);

    private static void Check(string? folder, string option)
    {
        if (folder == null)
            return;
        try
        {
            // A folder without permission, or on a full disk, can be found only by writing.
            Directory.CreateDirectory(folder);
            AtomicFile.RemoveLeftovers(folder);
            var file = Path.Combine(folder, CheckpointFile.FileName);
            if (Directory.Exists(file))
                throw new IOException($"'{CheckpointFile.FileName}' in it is a folder, not a file.");
            var path = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
            using var probe = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            probe.WriteByte(0);
            probe.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw NotWritable(option, folder, e);
        }
    }
}
