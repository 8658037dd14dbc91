using MLExtensions.Examples.Infrastructure;
using ScottPlot;
using ScottPlot.MultiplotLayouts;

namespace MLExtensions.Examples.Autoencoder;

/// <summary>Latent representations of two numbers as points in the plane, one color per digit.</summary>
internal static class LatentPicture
{
    private const int PanelPixels = 620;
    private const int DigitCount = 10;
    private static readonly IPalette Palette = new ScottPlot.Palettes.Category10();

    /// <summary>One panel for each way to compute them.</summary>
    /// <param name="path">The PNG file.</param>
    /// <param name="digits">The digit of each row.</param>
    /// <param name="panels">The two numbers of each row.</param>
    public static void Save(string path, IReadOnlyList<int> digits, params IReadOnlyList<(string Title, IReadOnlyList<float[]> Points)> panels)
    {
        var picture = new Multiplot { Layout = new Grid(1, panels.Count) };
        picture.Subplots.RemoveAt(0); // a new picture comes with an empty plot
        foreach (var (title, points) in panels)
            picture.AddPlot(CreatePanel(title, digits, points));
        picture.SavePng(path, PanelPixels * panels.Count, PanelPixels);
    }

    private static Plot CreatePanel(string title, IReadOnlyList<int> digits, IReadOnlyList<float[]> points)
    {
        var plot = new Plot();
        PictureStyle.Apply(plot, title);
        plot.HideGrid();
        for (var digit = 0; digit < DigitCount; digit++)
        {
            var markersOfDigit = points.Where((_, row) => digits[row] == digit).Select(point => new Coordinates(point[0], point[1])).ToArray();
            var markers = plot.Add.Markers(markersOfDigit, MarkerShape.FilledCircle, size: 3, Palette.GetColor(digit));
            markers.LegendText = $"{digit}";
        }
        plot.ShowLegend(Alignment.UpperRight);
        return plot;
    }
}
