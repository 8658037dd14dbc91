using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;

namespace MLExtensions.Examples.Topics;

/// <summary>Trains one method after the other, measures each on the same data, and prints them below each other.</summary>
internal sealed class TopicComparison(MLContext mlContext, IDataView testSet)
{
    private readonly List<(string Title, MulticlassClassificationMetrics Metrics, double Seconds)> _methods = [];

    /// <summary>The confusion matrix of the first method.</summary>
    public ConfusionMatrix FirstConfusion => _methods[0].Metrics.ConfusionMatrix;

    public T Run<T>(string title, Func<T> fit)
        where T : ITransformer
    {
        var watch = Stopwatch.StartNew();
        var model = fit();
        var seconds = watch.Elapsed.TotalSeconds;
        _methods.Add((title, mlContext.MulticlassClassification.Evaluate(model.Transform(testSet)), seconds));
        return model;
    }

    public void Print()
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("method", "micro accuracy", "macro accuracy", "log-loss", "seconds");
        foreach (var (title, metrics, seconds) in _methods)
            table.AddRow(title, $"{metrics.MicroAccuracy:0.0000}", $"{metrics.MacroAccuracy:0.0000}", $"{metrics.LogLoss:0.0000}", $"{seconds:0}");
        AnsiConsole.Write(table);
    }
}
