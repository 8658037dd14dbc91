namespace MLExtensions.Persistence;

/// <summary>Names in a message.</summary>
internal static class NameList
{
    /// <summary>The names, or as many as a message should have and how many more there are; <c>none</c> without any.</summary>
    public static string Of(IReadOnlyCollection<string> names, int shown = 10)
    {
        var text = string.Join(", ", names.Take(shown));
        if (names.Count == 0)
            return "none";
        return names.Count > shown ? $"{text} and {names.Count - shown} more" : text;
    }
}
