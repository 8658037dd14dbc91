using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Topics;

/// <summary>Trains one method after the other, measures each on the same data, and prints a table of them.</summary>
internal sealed class TopicComparison(MLContext mlContext, IDataView testSet)
{
    private readonly List<(string Title, string Name, MulticlassClassificationMetrics Metrics, double Seconds)> _methods = [];

    /// <summary>The confusion matrix of the first method.</summary>
    public ConfusionMatrix FirstConfusion => _methods[0].Metrics.ConfusionMatrix;

    public T Run<T>(string title, string name, Func<T> fit)
        where T : ITransformer
    {
        var watch = Stopwatch.StartNew();
        var model = fit();
        var seconds = watch.Elapsed.TotalSeconds;
        _methods.Add((title, name, mlContext.MulticlassClassification.Evaluate(model.Transform(testSet)), seconds));
        return model;
    }

    public ResultLine Print()
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("method", "micro accuracy", "macro accuracy", "log-loss", "seconds");
        var result = new ResultLine();
        foreach (var (title, name, metrics, seconds) in _methods)
        {
            table.AddRow(title, $"{metrics.MicroAccuracy:0.0000}", $"{metrics.MacroAccuracy:0.0000}", $"{metrics.LogLoss:0.0000}", $"{seconds:0}");
            result[$"{name}.accuracy"] = metrics.MicroAccuracy;
            result[$"{name}.log-loss"] = metrics.LogLoss;
            result[$"{name}.seconds"] = Math.Round(seconds, 1);
        }
        AnsiConsole.Write(table);
        return result;
    }
}
