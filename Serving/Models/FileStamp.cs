namespace MLExtensions.Serving.Models;

/// <summary>By what a changed file is known.</summary>
internal sealed record FileStamp(bool IsThere, long Length, DateTime Time)
{
    public static readonly FileStamp None = new(false, 0, default);

    /// <summary>Looks at a file; one that cannot be looked at is not there.</summary>
    public static FileStamp Of(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return new FileStamp(true, file.Length, file.LastWriteTimeUtc);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return None;
        }
    }
}
