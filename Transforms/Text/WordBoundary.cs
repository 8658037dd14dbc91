using System.Text;

namespace MLExtensions.Text;

/// <summary>Finds the boundaries between words by the default rules of Unicode (UAX #29, rules WB3 to WB999).</summary>
internal static class WordBoundary
{
    /// <summary>Returns the end of the segment that begins at a boundary.</summary>
    /// <param name="text">The text; a lone surrogate is a segment of its own.</param>
    /// <param name="start">The position of a boundary, before the end of the text.</param>
    public static int Next(ReadOnlySpan<char> text, int start)
    {
        var at = start;
        var last = Read(text, ref at, out _);
        if (last == WordBreak.CarriageReturn && at < text.Length && text[at] == '\n')
            return at + 1;
        if (IsLineEnd(last))
            return at;
        var before = WordBreak.Other; // the character before the last one; both without what extends them
        var current = last;
        while (at < text.Length)
        {
            var end = at;
            var next = Read(text, ref end, out var isPictograph);
            if (IsExtension(next))
            {
                at = end;
                last = next;
                continue;
            }
            var joins = (last == WordBreak.ZeroWidthJoiner && isPictograph)
                || (last == WordBreak.Space && next == WordBreak.Space)
                || Joins(before, current, next, text[end..]);
            if (!joins)
                return at;
            before = current;
            current = last = next;
            at = end;
        }
        return at;
    }

    private static bool Joins(WordBreak before, WordBreak current, WordBreak next, ReadOnlySpan<char> rest) => current switch
    {
        WordBreak.Letter or WordBreak.HebrewLetter => next switch
        {
            WordBreak.Letter or WordBreak.HebrewLetter or WordBreak.Numeric or WordBreak.ExtendNumberOrLetter => true,
            WordBreak.SingleQuote => current == WordBreak.HebrewLetter || IsLetter(First(rest)),
            WordBreak.MidLetter or WordBreak.MidNumberOrLetter => IsLetter(First(rest)),
            WordBreak.DoubleQuote => current == WordBreak.HebrewLetter && First(rest) == WordBreak.HebrewLetter,
            _ => false,
        },
        WordBreak.Numeric => next switch
        {
            WordBreak.Numeric or WordBreak.Letter or WordBreak.HebrewLetter or WordBreak.ExtendNumberOrLetter => true,
            WordBreak.MidNumber or WordBreak.MidNumberOrLetter or WordBreak.SingleQuote => First(rest) == WordBreak.Numeric,
            _ => false,
        },
        WordBreak.Katakana => next is WordBreak.Katakana or WordBreak.ExtendNumberOrLetter,
        WordBreak.ExtendNumberOrLetter => next is WordBreak.ExtendNumberOrLetter or WordBreak.Numeric or WordBreak.Katakana || IsLetter(next),
        WordBreak.MidLetter => IsLetter(before) && IsLetter(next),
        WordBreak.MidNumber => before == WordBreak.Numeric && next == WordBreak.Numeric,
        WordBreak.MidNumberOrLetter or WordBreak.SingleQuote =>
            (IsLetter(before) && IsLetter(next)) || (before == WordBreak.Numeric && next == WordBreak.Numeric),
        WordBreak.DoubleQuote => before == WordBreak.HebrewLetter && next == WordBreak.HebrewLetter,
        WordBreak.RegionalIndicator => next == WordBreak.RegionalIndicator && before != WordBreak.RegionalIndicator,
        _ => false,
    };

    /// <summary>The first character that does not extend another one.</summary>
    private static WordBreak First(ReadOnlySpan<char> text)
    {
        for (var at = 0; at < text.Length;)
        {
            var found = Read(text, ref at, out _);
            if (!IsExtension(found))
                return found;
        }
        return WordBreak.Other;
    }

    private static WordBreak Read(ReadOnlySpan<char> text, ref int at, out bool isPictograph)
    {
        var first = text[at++];
        if (!char.IsSurrogate(first))
            return WordBreakProperty.Of(first, out isPictograph);
        if (at < text.Length && Rune.TryCreate(first, text[at], out var character))
        {
            at++;
            return WordBreakProperty.Of(character.Value, out isPictograph);
        }
        isPictograph = false;
        return WordBreak.Other;
    }

    private static bool IsLetter(WordBreak character) => character is WordBreak.Letter or WordBreak.HebrewLetter;

    private static bool IsLineEnd(WordBreak character) => character is WordBreak.CarriageReturn or WordBreak.LineFeed or WordBreak.Newline;

    private static bool IsExtension(WordBreak character) => character is WordBreak.Extend or WordBreak.Format or WordBreak.ZeroWidthJoiner;
}
