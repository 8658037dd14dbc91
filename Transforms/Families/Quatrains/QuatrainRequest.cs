namespace MLExtensions.Families.Quatrains;

/// <summary>What a poem is to be.</summary>
/// <param name="About">What it is about; may be empty.</param>
/// <param name="Acrostic">The first characters of its lines; empty for none.</param>
/// <param name="Patterns">The patterns that it may keep, all of one length.</param>
/// <param name="RhymeGroups">The rhyme groups that it may have, a bit each.</param>
/// <param name="Seed">The seed.</param>
internal sealed record QuatrainRequest(string About, int[] Acrostic, QuatrainPattern[] Patterns, uint RhymeGroups, ulong Seed)
{
    public int LineLength => Patterns[0].LineLength;

    /// <summary>Checks what is asked for, and leaves only patterns that the acrostic allows.</summary>
    /// <param name="where">Names row and column of a wish, for messages.</param>
    /// <param name="about">What the poem is about.</param>
    /// <param name="acrostic">The first characters of the lines.</param>
    /// <param name="pattern">The name of a pattern, a length, or nothing.</param>
    /// <param name="rhymeGroup">The name of a rhyme group, a character that rhymes in it, or nothing.</param>
    /// <param name="options">The options.</param>
    /// <param name="table">The tones and rhymes.</param>
    /// <param name="seed">The seed.</param>
    /// <exception cref="FormatException">A value cannot be fulfilled; the message says what would do.</exception>
    public static QuatrainRequest Create(QuatrainPlace where, ReadOnlySpan<char> about, ReadOnlySpan<char> acrostic, ReadOnlySpan<char> pattern, ReadOnlySpan<char> rhymeGroup, QuatrainOptions options, RhymeTable table, ulong seed)
    {
        var patterns = QuatrainPattern.Find(pattern, options.LineLength)
            ?? throw new FormatException($"{where.Pattern}: the pattern is '{pattern.ToString()}'; it must be one of {string.Join(", ", QuatrainPattern.All.Select(one => one.Name))}, or 5 or 7 for any of that length, or empty.");
        var groups = GroupsOf(where.RhymeGroup, rhymeGroup, table);
        var first = AcrosticOf(where.Acrostic, acrostic, options, table);
        if (options.KeepsPattern && first.Length > 0)
            patterns = Allowed(where.Acrostic, patterns, first, table);
        return new QuatrainRequest(QuatrainVocabulary.About(about), first, patterns, groups, seed);
    }

    private static uint GroupsOf(string where, ReadOnlySpan<char> rhymeGroup, RhymeTable table)
    {
        var name = QuatrainVocabulary.About(rhymeGroup);
        if (rhymeGroup.IsWhiteSpace())
            return uint.MaxValue;
        if (table.PlaceOf(name) is >= 0 and var place)
            return 1u << place;
        throw new FormatException($"{where}: the rhyme group is '{rhymeGroup.ToString()}'; it must be one of the level tone: {string.Join(", ", table.LevelGroups)}, or empty.");
    }

    private static int[] AcrosticOf(string where, ReadOnlySpan<char> acrostic, QuatrainOptions options, RhymeTable table)
    {
        int[] first = [.. QuatrainText.Lines(acrostic).SelectMany(part => part)];
        if (first.Length != (acrostic.IsWhiteSpace() ? 0 : QuatrainPattern.Lines))
            throw new FormatException(FormattableString.Invariant($"{where}: the acrostic is '{acrostic.ToString()}', {first.Length} Chinese characters; it must have 4, one for the beginning of each line, or none."));
        for (var line = 0; line < first.Length; line++)
        {
            if (!options.AllowsRepeatedCharacters && first.AsSpan(0, line).Contains(first[line]))
                throw new FormatException(FormattableString.Invariant($"{where}: the acrostic character '{QuatrainText.Text([first[line]])}' of line {line + 1} is in line {first.AsSpan(0, line).IndexOf(first[line]) + 1}, too; set {nameof(options.AllowsRepeatedCharacters)}, or take another one."));
            if (options.KeepsPattern && !table.Of(first[line]).IsKnown)
                throw new FormatException(FormattableString.Invariant($"{where}: the acrostic character '{QuatrainText.Text([first[line]])}' of line {line + 1} is not in the rhyme table, so no tone is known of it; take a (traditional) character of the table, or set {nameof(options.KeepsPattern)} to false."));
        }
        return first;
    }

    private static QuatrainPattern[] Allowed(string where, QuatrainPattern[] patterns, int[] first, RhymeTable table)
    {
        var allowed = patterns.Where(pattern => Enumerable.Range(0, first.Length).All(line => Suits(pattern, line))).ToArray();
        if (allowed.Length > 0)
            return allowed;
        // The pattern that comes nearest names the culprit: the first character that it does not allow.
        var nearest = patterns.MaxBy(pattern => Enumerable.Range(0, first.Length).Count(line => Suits(pattern, line)))!;
        var wrong = Enumerable.Range(0, first.Length).First(line => !Suits(nearest, line));
        var needed = nearest.Tones[wrong * nearest.LineLength] == 'P' ? "level" : "oblique";
        var others = QuatrainPattern.All.Where(pattern => Enumerable.Range(0, first.Length).All(line => Suits(pattern, line))).Select(pattern => pattern.Name).ToArray();
        var remedy = others.Length > 0 ? $", or one of the patterns {string.Join(", ", others)}" : "";
        throw new FormatException(FormattableString.Invariant($"{where}: the acrostic character '{QuatrainText.Text([first[wrong]])}' of line {wrong + 1} has {(table.Of(first[wrong]).IsLevel ? "a level" : "an oblique")} tone; with the others, pattern {nearest.Name} would take one of {(needed == "level" ? "a level" : "an oblique")} tone there. What would do: another character of {(needed == "level" ? "a level" : "an oblique")} tone{remedy}."));

        bool Suits(QuatrainPattern pattern, int line) => table.Of(first[line]).Suits(pattern.Tones[line * pattern.LineLength]);
    }
}

/// <summary>Names the wishes of a row in messages.</summary>
/// <param name="Row">The row.</param>
/// <param name="Acrostic">Where the acrostic is.</param>
/// <param name="Pattern">Where the pattern is.</param>
/// <param name="RhymeGroup">Where the rhyme group is.</param>
internal sealed record QuatrainPlace(string Row, string Acrostic, string Pattern, string RhymeGroup)
{
    /// <summary>A poem that is asked for by itself.</summary>
    public static QuatrainPlace Alone { get; } = new("The poem", "acrostic", "pattern", "rhymeGroup");

    public static QuatrainPlace Of(string row, QuatrainInputs inputs)
    {
        return new(row, Name(inputs.Acrostic), Name(inputs.Pattern), Name(inputs.RhymeGroup));

        string Name(string? column) => column == null ? row : $"Column '{column}', {row}";
    }
}
