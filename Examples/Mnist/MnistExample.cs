using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Mnist;

/// <summary>MNIST: 60,000 handwritten digits for training, 10,000 for testing.</summary>
/// <param name="name">The command.</param>
/// <param name="summary">What it does, in one sentence.</param>
/// <param name="duration">About how long it takes.</param>
/// <param name="models">The networks that can be chosen. The first one is the default.</param>
/// <param name="create">The trainings of a choice.</param>
internal sealed class MnistExample(string name, string summary, string duration, IReadOnlyList<string> models, Func<string, IReadOnlyList<NetworkTraining>> create) : IExample
{
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training data.", DefaultText: "the network's own");
    private static readonly ExampleOption Validation = new("validation", "PERCENT", "Part of the training data, in percent, that is set aside and measured on after each epoch.", DefaultText: "the network's own");
    private static readonly ExampleOption Precision = new("precision", "float32|bfloat16", "Number format of the computation.", "float32");

    private readonly ExampleOption _model = new("model", string.Join('|', models), "Network to train.", models[0]);

    public static MnistExample OfPerceptrons { get; } = new(
        "mnist",
        "Trains multilayer perceptrons on MNIST: a plain one with SGD, a wide one with dropout, or a deep one with batch normalization.",
        "a few minutes for book, about 5 for 800, much longer for best, which trains for 100 epochs",
        MnistPerceptrons.Names,
        MnistPerceptrons.Create);

    public static MnistExample OfConvolutions { get; } = new(
        "mnist-cnn",
        "Trains convolutional networks on MNIST: that of PyTorch's example, LeNet-5, or one that learns from distorted images.",
        "about 6 minutes of one core for simple, 27 for best; lenet5 is in between",
        MnistConvolutions.Names,
        MnistConvolutions.Create);

    public string Name => name;

    public ExampleHelp Help => new(
        summary,
        $"{MnistData.Files}",
        duration,
        "for each network its model (NETWORK.zip), training curves (NETWORK-loss.png) and confusion matrix (NETWORK-confusion.png)");

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, _model, Epochs, Validation, Precision, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var networks = create(arguments.Choice(_model, models));
        foreach (var network in networks)
            Adjust(network.Options, arguments);
        var folder = MnistData.Files.Find(arguments);
        var trainSet = MnistData.LoadTraining(mlContext, folder);
        var testSet = MnistData.LoadTest(mlContext, folder);
        var output = new OutputFolder(Name);
        foreach (var network in networks)
            output.KeepEpochs(network.Options, network.FileName, arguments);
        var result = new ResultLine();

        var table = new Table().Border(TableBorder.Rounded)
            .AddColumns("network", "epochs", "test error", "log-loss", "minutes");
        foreach (var network in networks)
        {
            var watch = Stopwatch.StartNew();
            var model = network.Fit(mlContext, trainSet, cancellationToken);
            var minutes = watch.Elapsed.TotalMinutes;
            var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(testSet));
            table.AddRow(network.Title, $"{network.Options.Epochs}", $"{1 - metrics.MicroAccuracy:P2}", $"{metrics.LogLoss:0.0000}", $"{minutes:0.00}");
            result[$"{network.FileName}.error"] = 1 - metrics.MicroAccuracy;
            result[$"{network.FileName}.log-loss"] = metrics.LogLoss;
            result[$"{network.FileName}.seconds"] = Math.Round(minutes * 60, 1);

            model.Network().History!.SavePng(output.PathOf($"{network.FileName}-loss.png"));
            metrics.ConfusionMatrix.SavePng(output.PathOf($"{network.FileName}-confusion.png"), testSet.Schema["Label"]);
            mlContext.Model.Save(model, trainSet.Schema, output.PathOf($"{network.FileName}.zip"));
        }
        AnsiConsole.Write(table);
        output.Print([.. networks.Select(network => ($"{network.FileName}*", "the model, its training curves and its confusion matrix"))]);
        return result;
    }

    private static void Adjust(SupervisedTrainerOptions options, ExampleArguments arguments)
    {
        options.Epochs = arguments.OptionalInteger(Epochs, least: 1) ?? options.Epochs;
        options.ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        if (arguments.OptionalInteger(Validation, least: 0) is { } percent)
            options.ValidationFraction = percent / 100.0;
        if (arguments.Choice(Precision, "float32", "bfloat16") == "bfloat16")
            options.Precision = MLExtensions.Precision.BFloat16;
    }
}
