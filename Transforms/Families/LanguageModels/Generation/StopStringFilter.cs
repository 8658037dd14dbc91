namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// Passes text on, piece by piece, until a stop string appears. Text that may be the beginning of a stop string is held back.
/// </summary>
internal sealed class StopStringFilter(IReadOnlyList<string> stopStrings)
{
    private string _waiting = "";

    /// <summary>Whether a stop string has appeared. Then no more text is passed on.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Adds a piece and returns the text to pass on.</summary>
    public string Append(string piece)
    {
        if (IsStopped)
            return "";
        var text = _waiting + piece;
        var passed = FindStop(text) ?? text.Length - WaitingLength(text);
        _waiting = IsStopped ? "" : text[passed..];
        return text[..passed];
    }

    /// <summary>Returns the text that was held back when there are no more pieces.</summary>
    public string Finish()
    {
        var text = _waiting;
        _waiting = "";
        return text;
    }

    /// <summary>
    /// Returns the start of the stop string that ends first, the longest of several, so that the result does not depend on the sizes of the
    /// pieces.
    /// </summary>
    private int? FindStop(string text)
    {
        int? start = null;
        var end = int.MaxValue;
        foreach (var stop in stopStrings)
        {
            var found = text.IndexOf(stop, StringComparison.Ordinal);
            if (found < 0 || found + stop.Length > end || (found + stop.Length == end && found > start))
                continue;
            start = found;
            end = found + stop.Length;
        }
        IsStopped = start != null;
        return start;
    }

    /// <summary>Returns the length of the longest suffix of the text that is a prefix of a stop string.</summary>
    private int WaitingLength(string text)
    {
        var longest = 0;
        foreach (var stop in stopStrings)
        {
            var length = Math.Min(stop.Length - 1, text.Length);
            while (length > longest && !text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                length--;
            longest = Math.Max(longest, length);
        }
        return longest;
    }
}
