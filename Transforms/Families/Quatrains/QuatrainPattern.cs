namespace MLExtensions;

/// <summary>
/// One of the eight tone patterns of regulated quatrains (近體絕句): four of five characters a line and four of seven. A is
/// 仄仄平平仄 平平仄仄平 平平平仄仄 仄仄仄平平, B is 平平平仄仄 仄仄仄平平 仄仄平平仄 平平仄仄平; in A' and B' the first line rhymes, too. With seven
/// characters two of the opposite tone stand before each line.
/// </summary>
public sealed class QuatrainPattern
{
    /// <summary>The number of lines.</summary>
    internal const int Lines = 4;

    /// <summary>The number of characters of the longest quatrain.</summary>
    internal const int MaximumCharacters = 28;

    private QuatrainPattern(string name, string tones)
    {
        Name = name;
        LineLength = tones.IndexOf(' ', StringComparison.Ordinal);
        Tones = tones.Replace(" ", "", StringComparison.Ordinal);
        FirstLineRhymes = Tones[LineLength - 1] == 'P';
    }

    /// <summary>The eight patterns: 5A, 5A', 5B, 5B', 7A, 7A', 7B, 7B'.</summary>
    public static IReadOnlyList<QuatrainPattern> All { get; } =
    [
        new("5A", "AZPPZ PPZZP APPZZ AZZPP"),
        new("5A'", "AZZPP PPZZP APPZZ AZZPP"),
        new("5B", "APPZZ AZZPP AZPPZ PPZZP"),
        new("5B'", "PPZZP AZZPP AZPPZ PPZZP"),
        new("7A", "APAZPPZ AZPPZZP AZAPPZZ APAZZPP"),
        new("7A'", "APAZZPP AZPPZZP AZAPPZZ APAZZPP"),
        new("7B", "AZAPPZZ APAZZPP APAZPPZ AZPPZZP"),
        new("7B'", "AZPPZZP APAZZPP APAZPPZ AZPPZZP"),
    ];

    /// <summary>The number of characters of a line and the letter, such as <c>7A'</c>.</summary>
    public string Name { get; }

    /// <summary>The number of characters of a line: 5 or 7.</summary>
    public int LineLength { get; }

    /// <summary>The tones, line after line: P for level (平), Z for oblique (仄), A for either.</summary>
    public string Tones { get; }

    /// <summary>Whether the first line rhymes with the second and the fourth.</summary>
    public bool FirstLineRhymes { get; }

    /// <summary>Returns the patterns of a length.</summary>
    internal static QuatrainPattern[] Of(int lineLength) => [.. All.Where(pattern => pattern.LineLength == lineLength)];

    /// <summary>
    /// Returns the patterns that a name stands for: <c>7A'</c> for one, <c>7</c> for all of that length, <c>A'</c> for that of the default
    /// length, nothing for all of it; null if it stands for none.
    /// </summary>
    internal static QuatrainPattern[]? Find(ReadOnlySpan<char> name, int defaultLength)
    {
        var text = name.Trim().ToString().Replace('’', '\'').Replace('′', '\'');
        var length = text.Length > 0 && text[0] is '5' or '7' ? text[0] - '0' : defaultLength;
        var letter = text.Length > 0 && char.IsAsciiDigit(text[0]) ? text[1..] : text;
        if (text.Length > 0 && char.IsAsciiDigit(text[0]) && text[0] is not ('5' or '7'))
            return null;
        var found = Of(length).Where(pattern => letter.Length == 0 || string.Equals(pattern.Name[1..], letter, StringComparison.OrdinalIgnoreCase)).ToArray();
        return found.Length > 0 ? found : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {string.Join(' ', Tones.Chunk(LineLength).Select(line => new string(line)))}";
}
