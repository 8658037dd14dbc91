namespace MLExtensions;

/// <summary>A saved model, checkpoint or history is damaged, truncated, or not in the expected format.</summary>
/// <remarks>The message begins with <see cref="EntryName"/> and says what was found and what was expected.</remarks>
public sealed class ModelFormatException : FormatException
{
    internal ModelFormatException(string entryName, string problem, Exception? inner = null)
        : base($"{entryName}: {problem}", inner)
    {
        EntryName = entryName;
    }

    /// <summary>The file, or the entry in the model's .zip, that cannot be read.</summary>
    public string EntryName { get; }
}
