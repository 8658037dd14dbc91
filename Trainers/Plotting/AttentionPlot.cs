using MLExtensions.Plotting;
using Microsoft.ML.Runtime;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace MLExtensions;

/// <summary>Draws what a sequence-to-sequence network looked at.</summary>
public static class AttentionPlot
{
    private const int PixelsPerToken = 26;
    private const int Border = 180;
    private const int LongestUprightToken = 4;
    private const int PixelsPerLabel = 30;

    /// <summary>
    /// Saves attention as a heat map: the tokens of the answer from top to bottom, those of the source from left to right; dark cells are what was
    /// looked at.
    /// </summary>
    /// <param name="map">The attention, from <see cref="SequenceToSequenceTransformer.Attention"/>.</param>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="width">The width in pixels, at least 200. Default null: by the number of tokens.</param>
    /// <param name="height">The height in pixels, at least 150. Default null: by the number of tokens.</param>
    /// <param name="env">
    /// Receives a warning in its log about characters that no installed font has, usually the <c>MLContext</c>. Null: the warning goes to
    /// <see cref="System.Diagnostics.Trace"/>.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The width or height is too small or too large.</exception>
    public static void SavePng(this AttentionMap map, string path, int? width = null, int? height = null, IHostEnvironment? env = null)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var across = width ?? Math.Clamp(Border + (PixelsPerToken * map.SourceTokens.Count), 300, Picture.LargestSide);
        var down = height ?? Math.Clamp(Border + (PixelsPerToken * map.TargetTokens.Count), 250, Picture.LargestSide);
        Picture.CheckSize(across, down);
        var plot = Picture.NewPlot("Attention", "source", "answer");
        AddCells(plot, map);
        var text = string.Concat(map.SourceTokens.Concat(map.TargetTokens));
        using var image = Picture.Draw(text, () =>
        {
            AddTokens(plot, map, PictureFont.For(text, env));
            return plot.GetImage(across, down);
        });
        Picture.Save(image, path);
    }

    private static void AddCells(Plot plot, AttentionMap map)
    {
        var weights = new double[map.TargetTokens.Count, map.SourceTokens.Count];
        for (var row = 0; row < map.TargetTokens.Count; row++)
        {
            for (var column = 0; column < map.SourceTokens.Count; column++)
                weights[row, column] = map.Weights[row][column];
        }
        var cells = plot.Add.Heatmap(weights);
        cells.Colormap = new ScottPlot.Colormaps.Blues().Reversed();
        cells.ManualRange = new ScottPlot.Range(0, 1);
    }

    private static void AddTokens(Plot plot, AttentionMap map, string font)
    {
        var last = map.TargetTokens.Count - 1;
        plot.Axes.Bottom.TickGenerator = new NumericManual([.. Enumerable.Range(0, map.SourceTokens.Count).Select(i => (double)i)], [.. map.SourceTokens]);
        plot.Axes.Left.TickGenerator = new NumericManual([.. Enumerable.Range(0, last + 1).Select(i => (double)(last - i))], [.. map.TargetTokens]);
        foreach (var axis in (IAxis[])[plot.Axes.Bottom, plot.Axes.Left])
        {
            axis.MajorTickStyle.Length = 0;
            axis.TickLabelStyle.FontName = font;
        }
        if (map.SourceTokens.Any(token => token.Length > LongestUprightToken))
        {
            var style = plot.Axes.Bottom.TickLabelStyle;
            (style.Rotation, style.Alignment) = (-45, Alignment.UpperRight);
            using var paint = Paint.NewDisposablePaint();
            plot.Axes.Bottom.MinimumSize = (float)(map.SourceTokens.Max(token => style.Measure(token, paint).Width) * Math.Sqrt(.5)) + PixelsPerLabel;
        }
        plot.Axes.SetLimits(-.5, map.SourceTokens.Count - .5, -.5, last + .5);
        plot.HideGrid();
    }
}
