using ScottPlot;
using ScottPlot.TickGenerators;

namespace MLExtensions.Plotting;

/// <summary>The two axes of a confusion matrix, with a name per class where there is room.</summary>
internal static class ClassAxes
{
    private const int LongestUprightName = 4;
    private const int PixelsPerName = 18;

    /// <summary>What the axis' own label needs beside the names.</summary>
    private const int PixelsPerLabel = 30;

    public static void Name(Plot plot, IReadOnlyList<string> names, int width, int height)
    {
        var last = names.Count - 1;
        // With many classes every second, third ... one is named.
        var step = 1 + names.Count * PixelsPerName / Math.Min(width, height);
        var shown = Enumerable.Range(0, names.Count).Where(i => i % step == 0).ToArray();
        string[] labels = [.. shown.Select(i => names[i])];
        plot.Axes.Bottom.TickGenerator = new NumericManual([.. shown.Select(i => (double)i)], labels);
        plot.Axes.Left.TickGenerator = new NumericManual([.. shown.Select(i => (double)(last - i))], labels);
        foreach (var axis in (IAxis[])[plot.Axes.Bottom, plot.Axes.Left])
        {
            axis.MajorTickStyle.Length = 0;
            axis.TickLabelStyle.FontName = PictureFont.For(string.Concat(names));
        }
        if (names.Any(name => name.Length > LongestUprightName))
        {
            Slant(plot.Axes.Bottom, labels);
        }
        plot.Axes.SetLimits(-.5, last + .5, -.5, last + .5);
        plot.HideGrid();
    }

    private static void Slant(IAxis axis, string[] labels)
    {
        axis.TickLabelStyle.Rotation = -45;
        axis.TickLabelStyle.Alignment = Alignment.UpperRight;
        using var paint = Paint.NewDisposablePaint();
        var longest = labels.Max(label => axis.TickLabelStyle.Measure(label, paint).Width);
        axis.MinimumSize = (float)(longest * Math.Sqrt(.5)) + PixelsPerLabel;
    }
}
