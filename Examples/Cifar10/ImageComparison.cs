using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Cifar10;

/// <summary>Trains networks one after the other on the same images and compares their results and curves.</summary>
internal sealed class ImageComparison(MLContext mlContext, IDataView trainSet, IDataView testSet, OutputFolder output)
{
    /// <summary>Returns the accuracies of every network.</summary>
    public ResultLine Run(IReadOnlyList<NetworkTraining> networks, CancellationToken cancellationToken)
    {
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumns("network", "parameters", "epochs", "training accuracy", "test accuracy", "minutes");
        var result = new ResultLine();
        var curves = new List<(string Title, TrainingHistory History)>();
        foreach (var network in networks)
        {
            var watch = Stopwatch.StartNew();
            var model = network.Fit(mlContext, trainSet, cancellationToken);
            var minutes = watch.Elapsed.TotalMinutes;
            var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(testSet));
            var parameters = model.Network();
            curves.Add((network.Title, parameters.History!));
            table.AddRow(
                network.Title,
                $"{parameters.Architecture.ParameterCount:N0}",
                $"{network.Options.Epochs}",
                $"{parameters.History!.Epochs[^1].Training["accuracy"]:P2}",
                $"{metrics.MicroAccuracy:P2}",
                $"{minutes:0.0}");
            result[$"{network.FileName}.training-accuracy"] = parameters.History!.Epochs[^1].Training["accuracy"];
            result[$"{network.FileName}.test-accuracy"] = metrics.MicroAccuracy;
            result[$"{network.FileName}.seconds"] = Math.Round(minutes * 60, 1);
            metrics.ConfusionMatrix.SavePng(output.PathOf($"{network.FileName}-confusion.png"), testSet.Schema["Label"]);
            mlContext.Model.Save(model, trainSet.Schema, output.PathOf($"{network.FileName}.zip"));
            CurvesPicture.Save(curves, output.PathOf("curves.png"));
        }
        AnsiConsole.Write(table);
        output.Print(
            ("curves.png", "loss and accuracy of every network, epoch by epoch"),
            ("*-confusion.png", "which classes are mistaken for which"),
            ("*.zip", "the models"));
        return result;
    }
}
