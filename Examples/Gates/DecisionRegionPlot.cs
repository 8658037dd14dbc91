using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using ScottPlot;
using ScottPlot.MultiplotLayouts;

namespace MLExtensions.Examples.Gates;

/// <summary>Draws where in the plane models see the star.</summary>
internal static class DecisionRegionPlot
{
    private const int CellsPerSide = 220;
    private const int PanelPixels = 480;

    /// <summary>One panel for each model: its probability as a color, and the star's outline.</summary>
    public static void SavePng(MLContext mlContext, string path, params IReadOnlyList<(string Title, ITransformer Model)> models)
    {
        var picture = new Multiplot { Layout = new Grid(1, models.Count) };
        picture.Subplots.RemoveAt(0); // a new picture comes with an empty plot
        foreach (var (title, model) in models)
            picture.AddPlot(CreatePanel(title, ProbabilitiesOf(mlContext, model)));
        picture.SavePng(path, PanelPixels * models.Count, PanelPixels + 40);
    }

    private static Plot CreatePanel(string title, double[,] probabilities)
    {
        var plot = new Plot();
        var heatmap = plot.Add.Heatmap(probabilities);
        heatmap.Position = new CoordinateRect(-Star.Extent, Star.Extent, -Star.Extent, Star.Extent);
        heatmap.Colormap = new ScottPlot.Colormaps.Blues().Reversed();
        heatmap.ManualRange = new ScottPlot.Range(0, 1);
        Coordinates[] outline = [.. Star.Outline.Append(Star.Outline[0]).Select(corner => new Coordinates(corner.X, corner.Y))];
        var line = plot.Add.ScatterLine(outline, Colors.OrangeRed);
        line.LineWidth = 2;
        PictureStyle.Apply(plot, title);
        plot.HideGrid();
        plot.Axes.SetLimits(-Star.Extent, Star.Extent, -Star.Extent, Star.Extent);
        plot.Axes.SquareUnits();
        return plot;
    }

    /// <summary>The probability at the middle of every cell of a grid over the square, the top row first.</summary>
    private static double[,] ProbabilitiesOf(MLContext mlContext, ITransformer model)
    {
        var points = mlContext.Data.LoadFromEnumerable(Grid());
        var probabilities = new double[CellsPerSide, CellsPerSide];
        var cell = 0;
        foreach (var probability in model.Transform(points).GetColumn<float>("Probability"))
        {
            probabilities[cell / CellsPerSide, cell % CellsPerSide] = probability;
            cell++;
        }
        return probabilities;
    }

    private static IEnumerable<StarPoint> Grid()
    {
        for (var row = 0; row < CellsPerSide; row++)
        {
            for (var column = 0; column < CellsPerSide; column++)
                yield return Star.CreatePoint(Middle(column), -Middle(row));
        }
    }

    private static double Middle(int cell) => ((2 * (cell + 0.5) / CellsPerSide) - 1) * Star.Extent;
}
