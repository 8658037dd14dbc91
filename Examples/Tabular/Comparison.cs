using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Tabular;

/// <summary>Cross-validates trainers and shows their metrics side by side.</summary>
/// <typeparam name="TMetrics">ML.NET's metrics of the task.</typeparam>
/// <param name="title">The table's title.</param>
/// <param name="columns">The metrics to show. The first one goes into the result.</param>
internal sealed class Comparison<TMetrics>(string title, params (string Name, Func<TMetrics, double> Value)[] columns)
    where TMetrics : class
{
    private readonly List<(string Trainer, IReadOnlyList<TMetrics> Folds, double Seconds)> _runs = [];

    public void Run(string trainer, Func<IReadOnlyList<TrainCatalogBase.CrossValidationResult<TMetrics>>> crossValidate)
    {
        var watch = Stopwatch.StartNew();
        var folds = AnsiConsole.Status().Start($"{title}: {trainer}", _ => crossValidate());
        _runs.Add((trainer, [.. folds.Select(fold => fold.Metrics)], watch.Elapsed.TotalSeconds));
    }

    /// <summary>Prints the means over all folds, with the standard deviation of the first metric; returns each trainer's name and mean first metric.</summary>
    public IReadOnlyList<(string Trainer, double Mean)> Print()
    {
        var table = new Table().Border(TableBorder.Rounded).Title(title).AddColumn("trainer");
        foreach (var (name, _) in columns)
            table.AddColumn(new TableColumn(name).RightAligned());
        table.AddColumn(new TableColumn("seconds").RightAligned());
        foreach (var runs in _runs.GroupBy(run => run.Trainer))
        {
            var folds = runs.SelectMany(run => run.Folds).ToArray();
            var means = columns.Select((column, i) => i == 0 ? $"{folds.Average(column.Value):0.0000} ± {Deviation(folds.Select(column.Value)):0.0000}" : $"{folds.Average(column.Value):0.0000}");
            table.AddRow([runs.Key, .. means, $"{runs.Average(run => run.Seconds):0.0}"]);
        }
        AnsiConsole.Write(table);
        return [.. _runs.GroupBy(run => run.Trainer).Select(runs => (ResultLine.NameOf(runs.Key), runs.SelectMany(run => run.Folds).Average(columns[0].Value)))];
    }

    private static double Deviation(IEnumerable<double> values)
    {
        var all = values.ToArray();
        var mean = all.Average();
        return Math.Sqrt(all.Average(value => (value - mean) * (value - mean)));
    }
}
