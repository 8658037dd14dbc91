using MLExtensions.Examples.Infrastructure;
using ScottPlot;

namespace MLExtensions.Examples.Faces;

/// <summary>Pictures of what the embeddings of faces say.</summary>
internal static class FacePictures
{
    private const int Bins = 60;
    private const int PlotWidth = 900;
    private const int PlotHeight = 450;

    /// <summary>A row for some of the faces: the face, and the faces nearest to it, nearest first.</summary>
    public static void SaveNeighbors(string path, FaceImage[] faces, float[][] embeddings, int neighbors)
    {
        var people = Enumerable.Range(0, faces.Length).GroupBy(place => faces[place].Label).Select(group => group.First());
        var tiles = people.SelectMany(query => Enumerable.Range(0, faces.Length).OrderBy(other => other == query ? -1 : Squared(embeddings[query], embeddings[other])).Take(neighbors + 1)).ToArray();
        TilePicture.SavePng(path, Array.ConvertAll(tiles, tile => Array.ConvertAll(faces[tile].Pixels, value => value / 255)), FaceImages.Width, FaceImages.Height, neighbors + 1);
    }

    /// <summary>The shares of distances of pairs of one person and of two, and the threshold.</summary>
    public static void SaveDistances(string path, IReadOnlyList<float> distances, IReadOnlyList<bool> same, double threshold)
    {
        var plot = new Plot();
        PictureStyle.Apply(plot, "Distances of faces of people who were not in the training");
        plot.XLabel("squared distance");
        plot.YLabel("share of the pairs");
        var width = distances.Max() / Bins;
        foreach (var (isSame, name, color) in new[] { (false, "two people", Colors.OrangeRed), (true, "one person", Colors.SteelBlue) })
        {
            var chosen = distances.Where((_, pair) => same[pair] == isSame).ToArray();
            var counts = new double[Bins];
            foreach (var distance in chosen)
                counts[Math.Min(Bins - 1, (int)(distance / width))] += 1.0 / chosen.Length;
            var line = plot.Add.ScatterLine(Enumerable.Range(0, Bins).Select(bin => (bin + 0.5) * width).ToArray(), counts, color);
            line.LineWidth = 2;
            line.LegendText = name;
        }
        var limit = plot.Add.VerticalLine(threshold, 2, Colors.Gray);
        limit.LegendText = "threshold for one false accept of 100";
        plot.ShowLegend(Alignment.UpperRight);
        plot.SavePng(path, PlotWidth, PlotHeight);
    }

    private static float Squared(float[] a, float[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();
}
