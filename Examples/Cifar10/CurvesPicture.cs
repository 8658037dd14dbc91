using MLExtensions.Examples.Infrastructure;
using ScottPlot;

namespace MLExtensions.Examples.Cifar10;

/// <summary>The curves of several trainings in one picture: loss on the left, accuracy on the right. Validation is dashed.</summary>
internal static class CurvesPicture
{
    private const int Width = 1200;
    private const int Height = 500;

    public static void Save(IReadOnlyList<(string Title, TrainingHistory History)> trainings, string path)
    {
        var multiplot = new Multiplot();
        multiplot.AddPlots(2);
        multiplot.Layout = new ScottPlot.MultiplotLayouts.Columns();
        Draw(multiplot.GetPlot(0), "loss", trainings);
        Draw(multiplot.GetPlot(1), "accuracy", trainings);
        multiplot.SavePng(path, Width, Height);
    }

    private static void Draw(Plot plot, string metric, IReadOnlyList<(string Title, TrainingHistory History)> trainings)
    {
        PictureStyle.Apply(plot, metric == "loss" ? "Loss" : "Accuracy");
        plot.XLabel("epoch");
        for (var i = 0; i < trainings.Count; i++)
        {
            var color = plot.Add.Palette.GetColor(i);
            Add(plot, trainings[i].Title, color, LinePattern.Solid, trainings[i].History.Epochs.Select(epoch => (epoch.Epoch, Value(epoch.Training, metric))));
            Add(plot, null, color, LinePattern.Dashed, trainings[i].History.Epochs.Select(epoch => (epoch.Epoch, Value(epoch.Validation, metric))));
        }
        plot.ShowLegend(metric == "loss" ? Alignment.UpperRight : Alignment.LowerRight);
    }

    private static void Add(Plot plot, string? title, Color color, LinePattern pattern, IEnumerable<(int Epoch, double? Value)> points)
    {
        var known = points.Where(point => point.Value != null).ToArray();
        if (known.Length == 0)
            return;
        var line = plot.Add.Scatter(known.Select(point => (double)point.Epoch).ToArray(), known.Select(point => point.Value!.Value).ToArray(), color);
        line.LinePattern = pattern;
        line.LegendText = title ?? "";
    }

    private static double? Value(IReadOnlyDictionary<string, double> values, string metric) => values.TryGetValue(metric, out var value) ? value : null;
}
