namespace MLExtensions.Examples.Serving.Json;

/// <summary>The text that a JSON reader reads.</summary>
/// <param name="bytes">All of it.</param>
internal ref struct JsonText(ReadOnlySpan<byte> bytes)
{
    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    /// <summary>Where the reader began: it is replaced by another one behind each array of numbers.</summary>
    public int Offset { get; set; }
}
