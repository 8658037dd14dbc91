namespace MLExtensions.Families.LanguageModels;

/// <summary>Lets text through, piece by piece, until a stop string has come; what could be the beginning of one waits.</summary>
internal sealed class StopStringFilter(IReadOnlyList<string> stopStrings)
{
    private string _waiting = "";

    /// <summary>Whether a stop string has come; nothing is let through any more.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>The text that one more piece lets through.</summary>
    public string Append(string piece)
    {
        if (IsStopped)
            return "";
        var text = _waiting + piece;
        var passed = FindStop(text) ?? text.Length - WaitingLength(text);
        _waiting = IsStopped ? "" : text[passed..];
        return text[..passed];
    }

    /// <summary>The text that waits, when no more comes.</summary>
    public string Finish()
    {
        var text = _waiting;
        _waiting = "";
        return text;
    }

    /// <summary>Where the stop string begins that ends first; of several the longest, so that the pieces' sizes make no difference.</summary>
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

    /// <summary>The length of the longest end of the text that a stop string begins with.</summary>
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
