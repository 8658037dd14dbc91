using MLExtensions.History;
using MLExtensions.Plotting;
using ScottPlot;
using ScottPlot.MultiplotLayouts;

namespace MLExtensions;

/// <summary>Draws the curves of a training.</summary>
public static class TrainingHistoryPlot
{
    /// <summary>
    /// Saves a picture of how the metrics went: a panel for the loss and one for every other metric, each with its
    /// training and validation curve over the epochs. The epoch whose weights the model has is marked.
    /// </summary>
    /// <param name="history">A history with at least one epoch.</param>
    /// <param name="path">The .png file, written as a whole or not at all; its folder is created when missing.</param>
    /// <param name="width">Pixels, at least 200. Default: 900.</param>
    /// <param name="height">Pixels, at least 150. Default: 500.</param>
    /// <exception cref="ArgumentException">The history has no epochs or no metrics.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The width or height is too small or too large.</exception>
    /// <remarks>
    /// Letters come from the machine's fonts. On a machine without any, the curves are drawn without words, unless a font
    /// is added by <see cref="Fonts.AddFontFile"/> and named in <see cref="Fonts.Default"/> before the first picture.
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
        {
            throw new ArgumentException("The history has no epochs with metrics, so there is nothing to draw.", nameof(history));
        }
        var columns = (int)Math.Ceiling(Math.Sqrt(metrics.Count));
        var rows = (metrics.Count + columns - 1) / columns;
        var panels = new Multiplot { Layout = new Grid(rows, columns) };
        // A new one comes with an empty plot.
        panels.Subplots.RemoveAt(0);
        foreach (var metric in metrics)
        {
            panels.AddPlot(MetricPanel.Draw(metric, records, history.BestEpoch));
        }
        using var image = panels.Render(width, height);
        Picture.Save(image, path);
    }
}
