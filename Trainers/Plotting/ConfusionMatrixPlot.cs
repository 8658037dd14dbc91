using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Plotting;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace MLExtensions;

/// <summary>Draws confusion matrices.</summary>
public static class ConfusionMatrixPlot
{
    /// <summary>Cells that are too small for their counts show only their color.</summary>
    private const int LeastCellPixels = 24;

    /// <summary>
    /// Saves a confusion matrix as a heat map: actual classes from top to bottom, predicted ones from left to right, counts in the cells.
    /// The color of a cell is its fraction of the actual class, so that rare classes are as readable as frequent ones.
    /// </summary>
    /// <param name="matrix">The matrix, for example from the metrics of <c>Evaluate</c>.</param>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="classNames">
    /// One name per class. Default: the names in the matrix, which ML.NET takes from a label of text; other labels have none there, and their
    /// classes are "class 1", "class 2", ... in the order of the keys.
    /// </param>
    /// <param name="width">The width in pixels, at least 200. Default 750.</param>
    /// <param name="height">The height in pixels, at least 150. Default 650.</param>
    /// <param name="env">
    /// Receives a warning in its log about characters that no installed font has, usually the <c>MLContext</c>. Null: the warning goes to
    /// <see cref="System.Diagnostics.Trace"/>.
    /// </param>
    /// <exception cref="ArgumentException">There are more or fewer names than classes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The width or height is too small or too large.</exception>
    /// <remarks>
    /// Text is drawn with the fonts of the system, in any script that one of them has. Without any fonts the cells are drawn without text,
    /// unless a font is added with <see cref="Fonts.AddFontFile"/> and assigned to <see cref="Fonts.Default"/> before the first picture.
    /// </remarks>
    public static void SavePng(
        this ConfusionMatrix matrix, string path, IReadOnlyList<string>? classNames = null, int width = 750, int height = 650, IHostEnvironment? env = null)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        Picture.CheckSize(width, height);
        var names = classNames ?? ClassNames.Of(matrix);
        if (names.Count != matrix.NumberOfClasses)
            throw new ArgumentException(FormattableString.Invariant($"There are {names.Count} class names for {matrix.NumberOfClasses} classes."), nameof(classNames));
        var plot = Picture.NewPlot("Confusion matrix", "predicted", "actual");
        AddCells(plot, matrix);
        if (Math.Min(width, height) / matrix.NumberOfClasses >= LeastCellPixels)
            AddCounts(plot, matrix);
        using var image = Picture.Draw(string.Concat(names), () =>
        {
            ClassAxes.Name(plot, names, width, height, env);
            return plot.GetImage(width, height);
        });
        Picture.Save(image, path);
    }

    /// <summary>Saves a confusion matrix with the classes named by the key values of a label column, whatever their type.</summary>
    /// <param name="matrix">The matrix, for example from the metrics of <c>Evaluate</c>.</param>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="label">The label column of the evaluated data, such as <c>scored.Schema["Label"]</c>: a key with values.</param>
    /// <exception cref="ArgumentException">The column is not a key with values, or has more or fewer values than there are classes.</exception>
    public static void SavePng(this ConfusionMatrix matrix, string path, DataViewSchema.Column label) => matrix.SavePng(path, ClassNames.Of(label));

    /// <summary>Returns the key values of a label column as text, whatever their type: the names of the classes.</summary>
    /// <param name="label">The column: a key with values.</param>
    /// <exception cref="ArgumentException">The column is not a key with values.</exception>
    public static IReadOnlyList<string> GetClassNames(DataViewSchema.Column label) => ClassNames.Of(label);

    private static void AddCells(Plot plot, ConfusionMatrix matrix)
    {
        var size = matrix.NumberOfClasses;
        var shares = new double[size, size];
        for (var actual = 0; actual < size; actual++)
        {
            for (var predicted = 0; predicted < size; predicted++)
                shares[actual, predicted] = Share(matrix, actual, predicted);
        }
        var cells = plot.Add.Heatmap(shares);
        cells.Colormap = new ScottPlot.Colormaps.Blues().Reversed();
        cells.ManualRange = new ScottPlot.Range(0, 1);
        var scale = plot.Add.ColorBar(cells);
        scale.Label = "fraction of the actual class";
        scale.LabelStyle.FontName = PictureFont.Sans;
        scale.LabelStyle.FontSize = 13;
        scale.LabelStyle.Bold = false;
        scale.Axis.TickGenerator = new NumericManual([0, .25, .5, .75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"]);
        scale.Axis.TickLabelStyle.FontName = PictureFont.Sans;
    }

    private static void AddCounts(Plot plot, ConfusionMatrix matrix)
    {
        var size = matrix.NumberOfClasses;
        for (var actual = 0; actual < size; actual++)
        {
            for (var predicted = 0; predicted < size; predicted++)
            {
                var count = matrix.Counts[actual][predicted].ToString("0.##", CultureInfo.InvariantCulture);
                var text = plot.Add.Text(count, predicted, size - 1 - actual);
                text.LabelAlignment = Alignment.MiddleCenter;
                text.LabelFontName = PictureFont.Sans;
                text.LabelFontSize = size > 12 ? 10 : 13;
                text.LabelFontColor = Share(matrix, actual, predicted) > .5 ? Colors.White : Colors.Black;
            }
        }
    }

    private static double Share(ConfusionMatrix matrix, int actual, int predicted)
    {
        var total = matrix.Counts[actual].Sum();
        return total == 0 ? 0 : matrix.Counts[actual][predicted] / total;
    }
}

/// <summary>The two axes of a confusion matrix, with a name per class if there is room.</summary>
file static class ClassAxes
{
    private const int LongestUprightName = 4;
    private const int PixelsPerName = 18;

    /// <summary>The space for the axis label besides the names.</summary>
    private const int PixelsPerLabel = 30;

    public static void Name(Plot plot, IReadOnlyList<string> names, int width, int height, IHostEnvironment? env)
    {
        var last = names.Count - 1;
        // With many classes only every second, third, ... class is named.
        var step = 1 + names.Count * PixelsPerName / Math.Min(width, height);
        var shown = Enumerable.Range(0, names.Count).Where(i => i % step == 0).ToArray();
        string[] labels = [.. shown.Select(i => names[i])];
        plot.Axes.Bottom.TickGenerator = new NumericManual([.. shown.Select(i => (double)i)], labels);
        plot.Axes.Left.TickGenerator = new NumericManual([.. shown.Select(i => (double)(last - i))], labels);
        var font = PictureFont.For(string.Concat(names), env);
        foreach (var axis in (IAxis[])[plot.Axes.Bottom, plot.Axes.Left])
        {
            axis.MajorTickStyle.Length = 0;
            axis.TickLabelStyle.FontName = font;
        }
        if (names.Any(name => name.Length > LongestUprightName))
            Slant(plot.Axes.Bottom, labels);
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

/// <summary>The names of the classes of a confusion matrix.</summary>
internal static class ClassNames
{
    /// <summary>The names in a matrix; ML.NET puts the places there, from 0, if it knows no names.</summary>
    public static IReadOnlyList<string> Of(ConfusionMatrix matrix)
    {
        string[] names = [.. matrix.PredictedClassesIndicators.Select(name => name.ToString())];
        var places = Enumerable.Range(0, names.Length).Select(place => place.ToString(CultureInfo.InvariantCulture));
        return names.SequenceEqual(places) ? [.. Enumerable.Range(1, names.Length).Select(number => FormattableString.Invariant($"class {number}"))] : names;
    }

    /// <summary>The values of a key column as text.</summary>
    /// <exception cref="ArgumentException">The column is not a key with values.</exception>
    public static IReadOnlyList<string> Of(DataViewSchema.Column column)
    {
        if (column.Type is not KeyDataViewType || column.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues)?.Type is not VectorDataViewType type)
            throw new ArgumentException($"Column '{column.Name}' has type {column.Type}{(column.Type is KeyDataViewType ? " without key values" : "")}; it must be a key with values, as MapValueToKey makes it.", nameof(column));
        var read = ((Func<DataViewSchema.Column, IReadOnlyList<string>>)Read<int>).Method.GetGenericMethodDefinition().MakeGenericMethod(type.ItemType.RawType);
        return (IReadOnlyList<string>)read.Invoke(null, [column])!;
    }

    private static IReadOnlyList<string> Read<T>(DataViewSchema.Column column)
    {
        VBuffer<T> values = default;
        column.Annotations.GetValue(AnnotationUtils.Kinds.KeyValues, ref values);
        return [.. values.DenseValues().Select(value => TextOf(value))];
    }

    private static string TextOf(object? value) => value switch
    {
        DateTime date => date.ToString(date.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value?.ToString() ?? "",
    };
}
