using MLExtensions.Plotting;
using ScottPlot;
using ScottPlot.MultiplotLayouts;
using ScottPlot.TickGenerators;

namespace MLExtensions;

/// <summary>Draws the curves of a training.</summary>
public static class TrainingHistoryPlot
{
    /// <summary>
    /// Saves a picture with one panel for the loss and one for each other metric, with training and validation curves over the epochs. The
    /// epoch whose weights the model has is marked.
    /// </summary>
    /// <param name="history">A history with at least one epoch.</param>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="width">The width in pixels, at least 200. Default 900.</param>
    /// <param name="height">The height in pixels, at least 150. Default 500.</param>
    /// <exception cref="ArgumentException">The history has no epochs or no metrics.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The width or height is too small or too large.</exception>
    /// <remarks>
    /// Text is drawn with the fonts of the system. Without any fonts the curves are drawn without text, unless a font is added with
    /// <see cref="Fonts.AddFontFile"/> and assigned to <see cref="Fonts.Default"/> before the first picture.
    /// </remarks>
    public static void SavePng(this TrainingHistory history, string path, int width = 900, int height = 500)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        Picture.CheckSize(width, height);
        var records = history.BeforeTraining is null ? history.Epochs : [history.BeforeTraining, .. history.Epochs];
        var metrics = records.SelectMany(r => r.Training.Keys.Concat(r.Validation.Keys)).Distinct()
            .OrderByDescending(name => name == MetricValues.Loss).ThenBy(name => name, StringComparer.Ordinal).ToList();
        if (history.Epochs.Count == 0 || metrics.Count == 0)
            throw new ArgumentException("The history has no epochs with metrics, so there is nothing to draw.", nameof(history));
        var columns = (int)Math.Ceiling(Math.Sqrt(metrics.Count));
        var rows = (metrics.Count + columns - 1) / columns;
        var panels = new Multiplot { Layout = new Grid(rows, columns) };
        // A new one comes with an empty plot.
        panels.Subplots.RemoveAt(0);
        foreach (var metric in metrics)
            panels.AddPlot(MetricPanel.Draw(metric, records, history.BestEpoch));
        using var image = Picture.Draw(string.Concat(metrics), () => panels.Render(width, height));
        Picture.Save(image, path);
    }
}

/// <summary>One metric over the epochs: a curve for training, one for validation, a mark at the best epoch.</summary>
file static class MetricPanel
{
    /// <summary>Curves with more points than this are drawn without markers.</summary>
    private const int MostDots = 40;

    private const double Margin = 0.08;

    public static Plot Draw(string metric, IReadOnlyList<EpochRecord> records, int? bestEpoch)
    {
        var training = Points(records, r => r.Training, metric);
        var validation = Points(records, r => r.Validation, metric);
        var isEmpty = training.Concat(validation).All(point => double.IsNaN(point.Y));
        var title = MetricTitle.Of(metric);
        var plot = Picture.NewPlot(isEmpty ? $"{title} (no finite value)" : title, "epoch", "");
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
        if (RangeOf(training.Concat(validation)) is { } range)
            plot.Axes.SetLimitsY(range.Min, range.Max);
        plot.Axes.SetLimitsX(records[0].Epoch - .5, records[^1].Epoch + .5);
        AddLegend(plot);
        return plot;
    }

    /// <summary>
    /// The range of the epochs of training, with a margin. An untrained network may be off by orders of magnitude: its point would make the
    /// other epochs a flat line, so the curve may enter the panel from outside.
    /// </summary>
    private static (double Min, double Max)? RangeOf(IEnumerable<Coordinates> points)
    {
        var trained = points.Where(point => point.X > 0 && double.IsFinite(point.Y)).Select(point => point.Y).ToArray();
        if (trained.Length == 0)
            return null;
        var (least, greatest) = (trained.Min(), trained.Max());
        var margin = greatest > least ? (greatest - least) * Margin : Math.Max(Math.Abs(least), 1e-6) * Margin;
        return (least - margin, greatest + margin);
    }

    /// <summary>The legend is below the curves, which may be anywhere.</summary>
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
                // A curve has a gap where its value is not finite; an infinite value would leave the axis without a scale.
                points.Add(new Coordinates(record.Epoch, double.IsFinite(value) ? value : double.NaN));
            }
        }
        return points;
    }

    private static void AddCurve(Plot plot, string name, Color color, List<Coordinates> points)
    {
        if (points.Count == 0)
            return;
        var curve = plot.Add.Scatter(points, color);
        curve.LegendText = name;
        curve.LineWidth = 2;
        curve.MarkerSize = points.Count > MostDots ? 0 : 6;
    }
}

/// <summary>The titles of metrics in words.</summary>
internal static class MetricTitle
{
    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["mae"] = "Mean absolute error",
        ["mse"] = "Mean squared error",
        ["rmse"] = "Root mean squared error",
        ["r2"] = "R squared",
        ["auc"] = "Area under the ROC curve",
    };

    /// <summary>A name such as "rmse", "free energy", "pseudoLogLikelihood" or "top_5" as words.</summary>
    public static string Of(string metric)
    {
        if (Known.TryGetValue(metric, out var title))
            return title;
        var words = new System.Text.StringBuilder();
        for (var i = 0; i < metric.Length; i++)
        {
            var isNewWord = i > 0 && char.IsUpper(metric[i]) && char.IsLower(metric[i - 1]);
            if (isNewWord)
                words.Append(' ');
            words.Append(metric[i] == '_' ? ' ' : isNewWord ? char.ToLowerInvariant(metric[i]) : i == 0 ? char.ToUpperInvariant(metric[i]) : metric[i]);
        }
        return words.ToString();
    }
}
