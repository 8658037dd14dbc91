namespace MLExtensions;

/// <summary>What a loader does with a file that is not a valid image, damaged or truncated.</summary>
public enum BadImageHandling
{
    /// <summary>Throws a <see cref="FormatException"/> that names the file when its image is read.</summary>
    Throw,

    /// <summary>Skips the file and names it in a warning on <c>MLContext.Log</c>.</summary>
    Skip,
}
