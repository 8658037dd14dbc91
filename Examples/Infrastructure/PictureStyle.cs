using ScottPlot;
using SkiaSharp;

namespace MLExtensions.Examples.Infrastructure;

/// <summary>Makes the examples' own pictures look like those of the library, which lie in the same folder.</summary>
internal static class PictureStyle
{
    // As the library chooses: the first one that is installed.
    private static readonly string[] Preferred =
        ["Segoe UI", "Helvetica Neue", "Open Sans", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial", "FreeSans"];

    private const float TitleSize = 16;
    private const float LabelSize = 13;

    private static readonly string Font = FindFont();

    /// <summary>Sets the title of a plot, and the font, size and weight of its text.</summary>
    public static void Apply(Plot plot, string title)
    {
        plot.Title(title);
        plot.Font.Set(Font);
        plot.Axes.Title.Label.FontSize = TitleSize;
        foreach (var label in (LabelStyle[])[plot.Axes.Bottom.Label, plot.Axes.Left.Label])
        {
            label.FontSize = LabelSize;
            label.Bold = false;
        }
    }

    private static string FindFont()
    {
        var installed = SKFontManager.Default.FontFamilies.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return Array.Find(Preferred, installed.Contains) ?? Fonts.Default;
    }
}
