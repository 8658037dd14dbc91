namespace MLExtensions;

/// <summary>What a loader does with a file that is no image, is damaged or is cut off.</summary>
public enum BadImageHandling
{
    /// <summary>A <see cref="FormatException"/> that names the file when its image is asked for.</summary>
    Throw,

    /// <summary>The file is left out and a warning on <c>MLContext.Log</c> names it.</summary>
    Skip,
}
