using MLExtensions.Persistence;
using ScottPlot;
using SkiaSharp;

namespace MLExtensions.Plotting;

/// <summary>Settings and helpers shared by all pictures.</summary>
internal static class Picture
{
    public const int LargestSide = 16384;

    // Okabe and Ito's palette, which color-blind readers can distinguish.
    public static readonly Color Training = Color.FromHex("#0072B2");
    public static readonly Color Validation = Color.FromHex("#D55E00");
    public static readonly Color Accent = Color.FromHex("#555555");

    private const float TitleSize = 16;
    private const float LabelSize = 13;

    public static Plot NewPlot(string title, string bottom, string left)
    {
        var plot = new Plot();
        plot.Font.Set(PictureFont.Sans);
        plot.Axes.Title.Label.Text = title;
        plot.Axes.Title.Label.FontSize = TitleSize;
        plot.Axes.Bottom.Label.Text = bottom;
        plot.Axes.Left.Label.Text = left;
        foreach (var label in (LabelStyle[])[plot.Axes.Bottom.Label, plot.Axes.Left.Label])
        {
            label.FontSize = LabelSize;
            label.Bold = false;
        }
        plot.Grid.MajorLineColor = Colors.Black.WithAlpha(.08);
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
        return plot;
    }

    /// <exception cref="ArgumentOutOfRangeException">A side is too small to be readable or larger than 16384 pixels.</exception>
    public static void CheckSize(int width, int height)
    {
        CheckSide(width, 200, nameof(width));
        CheckSide(height, 150, nameof(height));
    }

    public static void Save(Image image, string path)
    {
        var png = image.GetImageBytes(ImageFormat.Png);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    private static void CheckSide(int pixels, int least, string name)
    {
        if (pixels < least || pixels > LargestSide)
            throw new ArgumentOutOfRangeException(name, pixels, $"The {name} of a picture must be {least} to {LargestSide} pixels.");
    }
}

/// <summary>Finds fonts of the system.</summary>
internal static class PictureFont
{
    private static readonly string[] Preferred =
        ["Segoe UI", "Helvetica Neue", "Open Sans", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial", "FreeSans"];

    /// <summary>A sans-serif font, or the default of the plotting library if none of the known ones exists.</summary>
    public static string Sans { get; } = FindSans();

    /// <summary>Returns a font with the characters of a text in any script; <see cref="Sans"/> for plain text.</summary>
    public static string For(string text) => text.All(char.IsAscii) ? Sans : Fonts.Detect(text);

    private static string FindSans()
    {
        var installed = SKFontManager.Default.FontFamilies.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return Array.Find(Preferred, installed.Contains) ?? Fonts.Default;
    }
}
