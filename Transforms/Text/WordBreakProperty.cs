using System.Globalization;
using System.Text;

namespace MLExtensions.Text;

/// <summary>The values of Unicode's property Word_Break (UAX #29, table 3).</summary>
internal enum WordBreak : byte
{
    Other,
    CarriageReturn,
    LineFeed,
    Newline,
    Extend,
    ZeroWidthJoiner,
    Format,
    RegionalIndicator,
    Katakana,
    HebrewLetter,
    Letter,
    MidLetter,
    MidNumber,
    MidNumberOrLetter,
    SingleQuote,
    DoubleQuote,
    Numeric,
    ExtendNumberOrLetter,
    Space,
}

/// <summary>Looks up the property Word_Break of a character, and whether it is a pictograph.</summary>
/// <remarks>
/// Unicode defines the property by others: general category, script, line breaking. .NET has the category of every character of its version
/// of Unicode; the ranges below are what it does not have. The result was compared with the whole table of Unicode 14: it differs only in
/// characters that were added since, and in the signs before Arabic numbers, which Unicode 15.1 made numeric.
/// </remarks>
internal static class WordBreakProperty
{
    private const byte PictographBit = 0x80;

    // Pairs of first and last characters, in order.
    private static readonly int[] Katakana =
    [
        0x3031, 0x3035, 0x309B, 0x309C, 0x30A0, 0x30FA, 0x30FC, 0x30FF, 0x31F0, 0x31FF, 0x32D0, 0x32FE, 0x3300, 0x3357, 0xFF66, 0xFF9D,
        0x1AFF0, 0x1AFF3, 0x1AFF5, 0x1AFFB, 0x1AFFD, 0x1AFFE, 0x1B000, 0x1B000, 0x1B120, 0x1B122, 0x1B155, 0x1B155, 0x1B164, 0x1B167,
    ];

    // Ideographs, Hiragana, and the scripts that a dictionary would be needed for (Thai, Lao, Khmer, Burmese and their neighbors).
    private static readonly int[] WithoutSpaces =
    [
        0x0E01, 0x0E3A, 0x0E40, 0x0E4E, 0x0E80, 0x0EBF, 0x0EC0, 0x0ECE, 0x0EDC, 0x0EDF, 0x1000, 0x103F, 0x1050, 0x108F, 0x109A, 0x109F,
        0x1780, 0x17DF, 0x1950, 0x19DF, 0x1A20, 0x1A7F, 0x1A90, 0x1AAF, 0x3006, 0x3007, 0x3021, 0x3029, 0x3038, 0x303A, 0x3041, 0x309A,
        0x309D, 0x309F, 0x3400, 0x4DBF, 0x4E00, 0x9FFF, 0xA9E0, 0xA9EF, 0xA9FA, 0xA9FE, 0xAA60, 0xAADF, 0xF900, 0xFAFF, 0x11700, 0x1174F,
        0x16FE4, 0x16FE4, 0x17000, 0x18DFF, 0x1B001, 0x1B11F, 0x1B132, 0x1B132, 0x1B150, 0x1B152, 0x1B170, 0x1B2FF, 0x1F200, 0x1F200,
        0x20000, 0x3FFFF,
    ];

    private static readonly int[] HebrewLetters = [0x05D0, 0x05EA, 0x05EF, 0x05F2, 0xFB1D, 0xFB1D, 0xFB1F, 0xFB28, 0xFB2A, 0xFB4F];

    // Symbols that count as letters.
    private static readonly int[] LetterSymbols =
    [
        0x02C2, 0x02C5, 0x02D2, 0x02D7, 0x02DE, 0x02DF, 0x02E5, 0x02EB, 0x02ED, 0x02ED, 0x02EF, 0x02FF, 0x055A, 0x055C, 0x055E, 0x055E,
        0x058A, 0x058A, 0x05F3, 0x05F3, 0x070F, 0x070F, 0x24B6, 0x24E9, 0xA708, 0xA716, 0xA720, 0xA721, 0xA789, 0xA78A, 0xAB5B, 0xAB5B,
        0x1F130, 0x1F149, 0x1F150, 0x1F169, 0x1F170, 0x1F189,
    ];

    private static readonly int[] MidLetters = [0x3A, 0x3A, 0xB7, 0xB7, 0x387, 0x387, 0x55F, 0x55F, 0x5F4, 0x5F4, 0x2027, 0x2027, 0xFE13, 0xFE13, 0xFE55, 0xFE55, 0xFF1A, 0xFF1A];

    private static readonly int[] MidNumbers =
    [
        0x2C, 0x2C, 0x3B, 0x3B, 0x37E, 0x37E, 0x589, 0x589, 0x60C, 0x60D, 0x66C, 0x66C, 0x7F8, 0x7F8, 0x2044, 0x2044, 0xFE10, 0xFE10,
        0xFE14, 0xFE14, 0xFE50, 0xFE50, 0xFE54, 0xFE54, 0xFF0C, 0xFF0C, 0xFF1B, 0xFF1B,
    ];

    private static readonly int[] MidNumbersOrLetters = [0x2E, 0x2E, 0x2018, 0x2019, 0x2024, 0x2024, 0xFE52, 0xFE52, 0xFF07, 0xFF07, 0xFF0E, 0xFF0E];

    // Marks that precede a number, and a separator of decimals.
    private static readonly int[] NumberSigns = [0x600, 0x605, 0x66B, 0x66B, 0x6DD, 0x6DD, 0x890, 0x891, 0x8E2, 0x8E2, 0x110BD, 0x110BD, 0x110CD, 0x110CD];

    private static readonly int[] ExtendOthers = [0x200C, 0x200C, 0xFF9E, 0xFF9F, 0x1F3FB, 0x1F3FF, 0xE0020, 0xE007F];

    // Extended_Pictographic: reserved code points too, so that the emoji of later versions join.
    private static readonly int[] Pictographs =
    [
        0xA9, 0xA9, 0xAE, 0xAE, 0x203C, 0x203C, 0x2049, 0x2049, 0x2122, 0x2122, 0x2139, 0x2139, 0x2194, 0x2199, 0x21A9, 0x21AA, 0x231A, 0x231B,
        0x2328, 0x2328, 0x2388, 0x2388, 0x23CF, 0x23CF, 0x23E9, 0x23F3, 0x23F8, 0x23FA, 0x24C2, 0x24C2, 0x25AA, 0x25AB, 0x25B6, 0x25B6,
        0x25C0, 0x25C0, 0x25FB, 0x25FE, 0x2600, 0x2605, 0x2607, 0x2612, 0x2614, 0x2685, 0x2690, 0x2705, 0x2708, 0x2712, 0x2714, 0x2714,
        0x2716, 0x2716, 0x271D, 0x271D, 0x2721, 0x2721, 0x2728, 0x2728, 0x2733, 0x2734, 0x2744, 0x2744, 0x2747, 0x2747, 0x274C, 0x274C,
        0x274E, 0x274E, 0x2753, 0x2755, 0x2757, 0x2757, 0x2763, 0x2767, 0x2795, 0x2797, 0x27A1, 0x27A1, 0x27B0, 0x27B0, 0x27BF, 0x27BF,
        0x2934, 0x2935, 0x2B05, 0x2B07, 0x2B1B, 0x2B1C, 0x2B50, 0x2B50, 0x2B55, 0x2B55, 0x3030, 0x3030, 0x303D, 0x303D, 0x3297, 0x3297,
        0x3299, 0x3299, 0x1F000, 0x1F0FF, 0x1F10D, 0x1F10F, 0x1F12F, 0x1F12F, 0x1F16C, 0x1F171, 0x1F17E, 0x1F17F, 0x1F18E, 0x1F18E,
        0x1F191, 0x1F19A, 0x1F1AD, 0x1F1E5, 0x1F201, 0x1F20F, 0x1F21A, 0x1F21A, 0x1F22F, 0x1F22F, 0x1F232, 0x1F23A, 0x1F23C, 0x1F23F,
        0x1F249, 0x1F3FA, 0x1F400, 0x1F53D, 0x1F546, 0x1F64F, 0x1F680, 0x1F6FF, 0x1F774, 0x1F77F, 0x1F7D5, 0x1F7FF, 0x1F80C, 0x1F80F,
        0x1F848, 0x1F84F, 0x1F85A, 0x1F85F, 0x1F888, 0x1F88F, 0x1F8AE, 0x1F8FF, 0x1F90C, 0x1F93A, 0x1F93C, 0x1F945, 0x1F947, 0x1FAFF,
        0x1FC00, 0x1FFFD,
    ];

    private static readonly byte[] Table = CreateTable();

    /// <summary>Returns the property of a character.</summary>
    /// <param name="character">A code point.</param>
    /// <param name="isPictograph">Whether it is a pictograph, such as an emoji.</param>
    public static WordBreak Of(int character, out bool isPictograph)
    {
        var entry = character < Table.Length ? Table[character] : Compute(character);
        isPictograph = (entry & PictographBit) != 0;
        return (WordBreak)(entry & ~PictographBit);
    }

    /// <summary>Whether a character belongs to a script that is written without spaces between words.</summary>
    public static bool HasNoSpaces(int character) => Contains(WithoutSpaces, character) || Contains(Katakana, character);

    // Up to the end of the emoji: all that is frequent in texts.
    private static byte[] CreateTable()
    {
        var table = new byte[0x20000];
        for (var character = 0; character < table.Length; character++)
            table[character] = Compute(character);
        return table;
    }

    private static byte Compute(int character) => (byte)((byte)Classify(character) | (Contains(Pictographs, character) ? PictographBit : 0));

    private static WordBreak Classify(int character) => character switch
    {
        '\r' => WordBreak.CarriageReturn,
        '\n' => WordBreak.LineFeed,
        0x0B or 0x0C or 0x85 or 0x2028 or 0x2029 => WordBreak.Newline,
        '\'' => WordBreak.SingleQuote,
        '"' => WordBreak.DoubleQuote,
        0x200D => WordBreak.ZeroWidthJoiner,
        0x202F => WordBreak.ExtendNumberOrLetter,
        0xA0 or 0x2007 or 0x200B => WordBreak.Other,
        >= 0x1F1E6 and <= 0x1F1FF => WordBreak.RegionalIndicator,
        _ when Contains(ExtendOthers, character) => WordBreak.Extend,
        _ when Contains(MidLetters, character) => WordBreak.MidLetter,
        _ when Contains(MidNumbers, character) => WordBreak.MidNumber,
        _ when Contains(MidNumbersOrLetters, character) => WordBreak.MidNumberOrLetter,
        _ when Contains(NumberSigns, character) => WordBreak.Numeric,
        _ => ByCategory(character),
    };

    private static WordBreak ByCategory(int character)
    {
        if (Contains(LetterSymbols, character))
            return WordBreak.Letter;
        switch (CharUnicodeInfo.GetUnicodeCategory(character))
        {
            case UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark:
                return WordBreak.Extend;
            case UnicodeCategory.DecimalDigitNumber:
                return WordBreak.Numeric;
            case UnicodeCategory.ConnectorPunctuation:
                return WordBreak.ExtendNumberOrLetter;
            case UnicodeCategory.SpaceSeparator:
                return WordBreak.Space;
            case UnicodeCategory.Format:
                return WordBreak.Format;
            case UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber:
                if (Contains(Katakana, character))
                    return WordBreak.Katakana;
                return Contains(HebrewLetters, character) ? WordBreak.HebrewLetter
                    : Contains(WithoutSpaces, character) ? WordBreak.Other
                    : WordBreak.Letter;
            default:
                return Contains(Katakana, character) && Rune.IsValid(character) ? WordBreak.Katakana : WordBreak.Other;
        }
    }

    private static bool Contains(int[] ranges, int character)
    {
        var at = Array.BinarySearch(ranges, character);
        if (at >= 0)
            return true;
        // An even place lies before a range, an odd one in it.
        return (~at & 1) == 1;
    }
}
