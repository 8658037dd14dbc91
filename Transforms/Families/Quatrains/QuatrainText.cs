using System.Globalization;
using System.Text;

namespace MLExtensions.Families.Quatrains;

/// <summary>A poem as lines of characters.</summary>
internal static class QuatrainText
{
    /// <summary>
    /// Divides a text at everything that is no letter: punctuation, spaces, line feeds, bars. What only says how a letter looks, such as a
    /// variation selector, is passed over. A text of 20 or 28 characters, or of two halves, without such marks is divided evenly.
    /// </summary>
    public static List<int[]> Lines(ReadOnlySpan<char> text)
    {
        var lines = new List<int[]>();
        var line = new List<int>();
        foreach (var character in text.EnumerateRunes())
        {
            if (IsCharacter(character))
            {
                line.Add(character.Value);
                continue;
            }
            if (!IsPartOfCharacter(character))
                End();
        }
        End();
        var total = lines.Sum(part => part.Length);
        if (lines.Count is 1 or 2 && (total is 20 or 28) && lines.All(part => part.Length == total / lines.Count))
            lines = [.. lines.SelectMany(part => part).Chunk(total / QuatrainPattern.Lines)];
        return lines;

        void End()
        {
            if (line.Count > 0)
                lines.Add([.. line]);
            line.Clear();
        }
    }

    /// <summary>Whether lines are four of five characters or four of seven.</summary>
    public static bool IsQuatrain(List<int[]> lines) => lines.Count == QuatrainPattern.Lines && lines[0].Length is 5 or 7 && lines.All(line => line.Length == lines[0].Length);

    /// <summary>What is wrong with the form, for a message; null if it is a quatrain.</summary>
    public static string? WrongForm(List<int[]> lines) => IsQuatrain(lines)
        ? null
        : FormattableString.Invariant($"{lines.Count} lines of {(lines.Count == 0 ? "0" : string.Join(", ", lines.Select(line => line.Length.ToString(CultureInfo.InvariantCulture))))} characters; a quatrain has 4 of 5 or 4 of 7");

    public static bool IsCharacter(Rune character) => Rune.GetUnicodeCategory(character) is UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber || character.Value == 0x25A1;

    /// <summary>Marks on letters, variation selectors, and what is not seen, such as a byte order mark.</summary>
    private static bool IsPartOfCharacter(Rune character) =>
        Rune.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format;

    public static string Text(ReadOnlySpan<int> characters)
    {
        var text = new StringBuilder(characters.Length);
        foreach (var character in characters)
            text.Append(new Rune(character).ToString());
        return text.ToString();
    }

    /// <summary>A hash of a line by which a copy is recognized (FNV-1a).</summary>
    public static ulong Hash(ReadOnlySpan<int> line)
    {
        var hash = 14695981039346656037ul;
        foreach (var character in line)
            hash = unchecked((hash ^ (uint)character) * 1099511628211ul);
        return hash;
    }
}
