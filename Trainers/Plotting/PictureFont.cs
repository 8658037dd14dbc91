using ScottPlot;
using SkiaSharp;

namespace MLExtensions.Plotting;

/// <summary>Finds fonts among those the machine has.</summary>
internal static class PictureFont
{
    private static readonly string[] Preferred =
        ["Segoe UI", "Helvetica Neue", "Open Sans", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial", "FreeSans"];

    /// <summary>A font without serifs, or the plotting library's choice where there is none of the known ones.</summary>
    public static string Sans { get; } = FindSans();

    /// <summary>A font that has the letters of a text, whatever its script; <see cref="Sans"/> for plain text.</summary>
    public static string For(string text) => text.All(char.IsAscii) ? Sans : Fonts.Detect(text);

    private static string FindSans()
    {
        var installed = SKFontManager.Default.FontFamilies.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return Array.Find(Preferred, installed.Contains) ?? Fonts.Default;
    }
}
