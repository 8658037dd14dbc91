using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.ML.Runtime;
using MLExtensions.Text;
using ScottPlot;
using SkiaSharp;

namespace MLExtensions.Plotting;

/// <summary>Finds fonts of the system.</summary>
internal static class PictureFont
{
    private static readonly string[] Preferred =
        ["Segoe UI", "Helvetica Neue", "Open Sans", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial", "FreeSans"];

    /// <summary>A sans-serif font, or the default of the plotting library if none of the known ones exists.</summary>
    public static string Sans { get; } = FindSans();

    /// <summary>
    /// Returns the font that has most of the characters of a text in any script; <see cref="Sans"/> if it has them all. Characters that no
    /// font has are named in a warning.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="env">Where to log; null for the trace of the process.</param>
    public static string For(string text, IHostEnvironment? env = null)
    {
        if (text.All(char.IsAscii))
            return Sans;
        var (font, missing) = Best(text, Candidates());
        if (missing.Count > 0)
            Warn(env, font, missing);
        return font;
    }

    /// <summary>Whether the characters of a text change their form or direction beside others, as those of Arabic and Devanagari do.</summary>
    public static bool NeedsShaping(string text) => text.EnumerateRunes().Any(character =>
        character.Value is (>= 0x0590 and <= 0x08FF) or (>= 0x0900 and <= 0x0DFF) or (>= 0xFB1D and <= 0xFDFF) or (>= 0xFE70 and <= 0xFEFE)
            or (>= 0x0E00 and <= 0x0FFF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x18AF) or (>= 0x10800 and <= 0x10FFF) or (>= 0x11000 and <= 0x11FFF) or (>= 0x1E800 and <= 0x1EFFF)
        || Rune.GetUnicodeCategory(character) == UnicodeCategory.NonSpacingMark);

    /// <summary>Returns the first font with the fewest missing characters.</summary>
    /// <param name="text">The text.</param>
    /// <param name="fonts">The fonts, the preferred ones first.</param>
    internal static (string Font, IReadOnlyList<Rune> Missing) Best(string text, IEnumerable<string> fonts)
    {
        var needed = text.EnumerateRunes().Where(IsDrawn).Distinct().ToArray();
        (string Font, IReadOnlyList<Rune> Missing) best = (Sans, needed);
        foreach (var font in fonts)
        {
            var missing = Missing(font, needed);
            if (missing.Count < best.Missing.Count)
                best = (font, missing);
            if (missing.Count == 0)
                break;
        }
        return best;
    }

    private static List<Rune> Missing(string font, Rune[] needed)
    {
        // The font manager's own search for a character finds nothing on builds without the system's font library.
        var typeface = Fonts.GetTypeface(font, bold: false, italic: false);
        return needed.Where(character => typeface.GetGlyph(character.Value) == 0).ToList();
    }

    // Space and format characters have no glyph of their own.
    private static bool IsDrawn(Rune character) => !Rune.IsWhiteSpace(character) && WordBreakProperty.Of(character.Value, out _) is not (WordBreak.Format or WordBreak.ZeroWidthJoiner);

    private static IEnumerable<string> Candidates()
    {
        yield return Sans;
        yield return Fonts.Default;
        foreach (var family in SKFontManager.Default.FontFamilies.Order(StringComparer.OrdinalIgnoreCase))
            yield return family;
    }

    private static void Warn(IHostEnvironment? env, string font, IReadOnlyList<Rune> missing)
    {
        const int MostNamed = 10;
        var characters = string.Join(", ", missing.Take(MostNamed).Select(character => FormattableString.Invariant($"'{character}' (U+{character.Value:X4})")));
        var message = FormattableString.Invariant($"No installed font has {characters}{(missing.Count > MostNamed ? FormattableString.Invariant($" and {missing.Count - MostNamed} more") : "")}; they are drawn as boxes in '{font}'. Install a font of that script, or add one with ScottPlot.Fonts.AddFontFile and assign it to ScottPlot.Fonts.Default.");
        if (env == null)
        {
            Trace.TraceWarning(message);
            return;
        }
        using var channel = env.Start("Picture");
        channel.Warning("{0}", message);
    }

    private static string FindSans()
    {
        var installed = SKFontManager.Default.FontFamilies.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return Array.Find(Preferred, installed.Contains) ?? Fonts.Default;
    }
}
