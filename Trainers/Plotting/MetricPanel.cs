using ScottPlot;
using ScottPlot.TickGenerators;

namespace MLExtensions.Plotting;

/// <summary>One metric over the epochs: a curve for training, one for validation, a mark at the best epoch.</summary>
internal static class MetricPanel
{
    /// <summary>More points than this are drawn without dots.</summary>
    private const int MostDots = 40;

    public static Plot Draw(string metric, IReadOnlyList<EpochRecord> records, int? bestEpoch)
    {
        var training = Points(records, r => r.Training, metric);
        var validation = Points(records, r => r.Validation, metric);
        var isEmpty = training.Concat(validation).All(point => double.IsNaN(point.Y));
        var plot = Picture.NewPlot(isEmpty ? $"{metric} (no finite value)" : metric, "epoch", "");
        plot.Axes.Title.Label.FontName = PictureFont.For(metric);
        AddCurve(plot, "training", Picture.Training, training);
        AddCurve(plot, "validation", Picture.Validation, validation);
        if (bestEpoch is { } epoch)
        {
            var line = plot.Add.VerticalLine(epoch, 1.5f, Picture.Accent, LinePattern.Dashed);
            line.LegendText = FormattableString.Invariant($"best ({epoch})");
        }
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true };
        plot.Axes.Bottom.MinorTickStyle.Length = 0;
        plot.Axes.AutoScale();
        plot.Axes.SetLimitsX(records[0].Epoch - .5, records[^1].Epoch + .5);
        AddLegend(plot);
        return plot;
    }

    /// <summary>Below the curves, which may run anywhere.</summary>
    private static void AddLegend(Plot plot)
    {
        plot.ShowLegend(Edge.Bottom);
        plot.Legend.Orientation = Orientation.Horizontal;
        plot.Legend.TightHorizontalWrapping = true;
        plot.Legend.FontSize = 12;
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = Colors.Transparent;
    }

    private static List<Coordinates> Points(
        IReadOnlyList<EpochRecord> records, Func<EpochRecord, IReadOnlyDictionary<string, double>> metrics, string metric)
    {
        var points = new List<Coordinates>();
        foreach (var record in records)
        {
            if (metrics(record).TryGetValue(metric, out var value))
            {
                // A curve has a gap where it has no finite value; an infinite one would leave the axis without a scale.
                points.Add(new Coordinates(record.Epoch, double.IsFinite(value) ? value : double.NaN));
            }
        }
        return points;
    }

    private static void AddCurve(Plot plot, string name, Color color, List<Coordinates> points)
    {
        if (points.Count == 0)
        {
            return;
        }
        var curve = plot.Add.Scatter(points, color);
        curve.LegendText = name;
        curve.LineWidth = 2;
        curve.MarkerSize = points.Count > MostDots ? 0 : 6;
    }
}
