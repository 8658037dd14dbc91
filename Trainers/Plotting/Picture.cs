using MLExtensions.Persistence;
using ScottPlot;

namespace MLExtensions.Plotting;

/// <summary>Settings and helpers shared by all pictures.</summary>
internal static class Picture
{
    public const int LargestSide = 16384;

    // Okabe and Ito's palette, which color-blind readers can distinguish.
    public static readonly Color Training = Color.FromHex("#0072B2");
    public static readonly Color Validation = Color.FromHex("#D55E00");
    public static readonly Color Accent = Color.FromHex("#555555");

    private static readonly Lock ShapingLock = new();

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

    /// <summary>Draws, with text of right-to-left and joined scripts shaped if there is any.</summary>
    /// <param name="text">All text of the picture that the caller does not know.</param>
    /// <param name="draw">Draws.</param>
    public static T Draw<T>(string text, Func<T> draw)
    {
        // A setting of the whole plotting library.
        lock (ShapingLock)
        {
            var before = LabelStyle.RTLSupport;
            LabelStyle.RTLSupport = before || PictureFont.NeedsShaping(text);
            try
            {
                return draw();
            }
            finally
            {
                LabelStyle.RTLSupport = before;
            }
        }
    }

    public static void Save(Image image, string path)
    {
        var png = image.GetImageBytes(ImageFormat.Png);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    private static void CheckSide(int pixels, int least, string name)
    {
        if (pixels < least || pixels > LargestSide)
            throw new ArgumentOutOfRangeException(name, pixels, FormattableString.Invariant($"The {name} of a picture must be {least} to {LargestSide} pixels."));
    }
}
