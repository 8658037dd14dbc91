using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.FineTune;

/// <summary>
/// The quick way: the network is not trained but computes features, and a linear trainer of ML.NET does the rest. The features are
/// computed once and used in every fold.
/// </summary>
internal sealed class LinearOnFeatures(MLContext mlContext, string weights, OutputFolder output)
{
    public const string FileName = "linear.zip";
    private const string Layer = "features";
    private const int Side = 224;
    private const int Folds = 5;

    public MethodResult Run(string folder, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var pictures = mlContext.Data.LoadFromImageFolder(folder, Side, Side);
        using var network = mlContext.Transforms.ImageFeatures("Features", "Image", weights, Layer).Fit(pictures);
        var computed = network.Transform(pictures);
        var features = mlContext.Data.Cache(mlContext.Transforms.SelectColumns("Label", "Features").Fit(computed).Transform(computed));
        ReadAll(features, cancellationToken);
        var trainer = mlContext.Transforms.NormalizeMeanVariance("Features")
            .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy());
        var folds = mlContext.MulticlassClassification.CrossValidate(features, trainer, Folds);
        var minutes = watch.Elapsed.TotalMinutes;
        mlContext.Model.Save(network.Append(trainer.Fit(features)), pictures.Schema, output.PathOf(FileName));
        var accuracies = folds.Select(fold => fold.Metrics.MicroAccuracy).ToArray();
        return new MethodResult(
            "linear",
            $"linear on the outputs of '{Layer}'",
            $"{Folds} folds, {accuracies.Min():P1} to {accuracies.Max():P1}",
            accuracies.Average(),
            minutes);
    }

    /// <summary>Computes the features; the cache keeps them.</summary>
    private static void ReadAll(IDataView features, CancellationToken cancellationToken)
    {
        var count = features.GetRowCount() ?? 0;
        AnsiConsole.WriteLine($"features of {count} pictures");
        AnsiConsole.Progress().Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context =>
        {
            var bar = context.AddTask("features", maxValue: count);
            foreach (var _ in features.GetColumn<float[]>("Features"))
            {
                cancellationToken.ThrowIfCancellationRequested();
                bar.Increment(1);
            }
        });
    }
}
