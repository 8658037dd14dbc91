using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Mnist;

/// <summary>MNIST: 60,000 handwritten digits to learn from, 10,000 to be tested with.</summary>
/// <param name="name">The command.</param>
/// <param name="summary">One line for the list of examples.</param>
/// <param name="models">The networks that can be chosen; the first is the default.</param>
/// <param name="create">The trainings of a choice.</param>
internal sealed class MnistExample(string name, string summary, IReadOnlyList<string> models, Func<string, IReadOnlyList<NetworkTraining>> create) : IExample
{
    private static readonly ExampleOption Epochs = new("epochs", "N", "how many epochs to train (default: the network's own)");
    private static readonly ExampleOption Validation = new("validation", "PERCENT", "how much of the training data to measure on after each epoch (default: the network's own)");
    private static readonly ExampleOption Precision = new("precision", "float32|bfloat16", "the number format of the computation (default float32)", "float32");

    private readonly ExampleOption _model = new("model", string.Join('|', models), $"which network to train (default {models[0]})", models[0]);

    public static MnistExample OfPerceptrons { get; } = new(
        "mnist",
        "MNIST (not shipped): the network of the book's chapter 5, and better ones",
        MnistPerceptrons.Names,
        MnistPerceptrons.Create);

    public static MnistExample OfConvolutions { get; } = new(
        "mnist-cnn",
        "MNIST (not shipped) with convolutional networks: a simple one, LeNet-5, and the best",
        MnistConvolutions.Names,
        MnistConvolutions.Create);

    public string Name => name;

    public string Summary => summary;

    public IReadOnlyList<ExampleOption> Options => [MnistOptions.Data, _model, Epochs, Validation, Precision, MnistOptions.Threads, MnistOptions.Seed];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(MnistOptions.Seed, least: 0));
        var folder = arguments.Text(MnistOptions.Data);
        var networks = create(arguments.Choice(_model, models));
        foreach (var network in networks)
            Adjust(network.Options, arguments);
        var trainSet = MnistData.LoadTraining(mlContext, folder);
        var testSet = MnistData.LoadTest(mlContext, folder);
        var output = new OutputFolder(Name);

        var table = new Table().Border(TableBorder.Rounded)
            .AddColumns("network", "epochs", "test error", "log-loss", "minutes");
        foreach (var network in networks)
        {
            var watch = Stopwatch.StartNew();
            var model = network.Fit(mlContext, trainSet, cancellationToken);
            var minutes = watch.Elapsed.TotalMinutes;
            var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(testSet));
            table.AddRow(network.Title, $"{network.Options.Epochs}", $"{1 - metrics.MicroAccuracy:P2}", $"{metrics.LogLoss:0.0000}", $"{minutes:0.00}");

            NetworkTraining.NetworkOf(model).History!.SavePng(output.PathOf($"{network.FileName}-loss.png"));
            metrics.ConfusionMatrix.SavePng(output.PathOf($"{network.FileName}-confusion.png"));
            mlContext.Model.Save(model, trainSet.Schema, output.PathOf($"{network.FileName}.zip"));
        }
        AnsiConsole.Write(table);
        output.Print([.. networks.Select(network => ($"{network.FileName}*", "the model, its training curves and its confusion matrix"))]);
        return 0;
    }

    private static void Adjust(SupervisedTrainerOptions options, ExampleArguments arguments)
    {
        options.Epochs = arguments.OptionalInteger(Epochs, least: 1) ?? options.Epochs;
        options.ThreadCount = arguments.OptionalInteger(MnistOptions.Threads, least: 1);
        if (arguments.OptionalInteger(Validation, least: 0) is { } percent)
            options.ValidationFraction = percent / 100.0;
        if (arguments.Choice(Precision, "float32", "bfloat16") == "bfloat16")
            options.Precision = MLExtensions.Precision.BFloat16;
    }
}
