using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Mnist;

/// <summary>MNIST: 60,000 handwritten digits to learn from, 10,000 to be tested with.</summary>
internal sealed class MnistExample : IExample
{
    private static readonly ExampleOption Data = new("data", "DIR", "the folder of the four IDX files, gzipped or not");
    private static readonly ExampleOption Model = new("model", "book|800|best", "which network to train (default book)", MnistNetworks.Book);
    private static readonly ExampleOption Epochs = new("epochs", "N", "how many epochs to train (default: the network's own)");
    private static readonly ExampleOption Validation = new("validation", "PERCENT", "how much of the training data to measure on after each epoch (default: the network's own)");
    private static readonly ExampleOption Precision = new("precision", "float32|bfloat16", "the number format of the computation (default float32)", "float32");
    private static readonly ExampleOption Threads = new("threads", "N", "how many CPU threads to use (default: libtorch's choice)");
    private static readonly ExampleOption Seed = new("seed", "N", "the seed of everything random (default 1)", "1");

    public string Name => "mnist";

    public string Summary => "MNIST (not shipped): the network of the book's chapter 5, and better ones";

    public IReadOnlyList<ExampleOption> Options => [Data, Model, Epochs, Validation, Precision, Threads, Seed];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(Seed, least: 0));
        var folder = arguments.Text(Data);
        var networks = MnistNetworks.Create(arguments.Choice(Model, MnistNetworks.Book, MnistNetworks.Wide, MnistNetworks.Best));
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
            var model = Train(mlContext, network, trainSet, cancellationToken);
            var minutes = watch.Elapsed.TotalMinutes;
            var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(testSet));
            table.AddRow(network.Title, $"{network.Options.Epochs}", $"{1 - metrics.MicroAccuracy:P2}", $"{metrics.LogLoss:0.0000}", $"{minutes:0.00}");

            model.OfType<MulticlassNetworkTransformer>().Single().Model.History.SavePng(output.PathOf($"{network.FileName}-loss.png"));
            metrics.ConfusionMatrix.SavePng(output.PathOf($"{network.FileName}-confusion.png"));
            mlContext.Model.Save(model, trainSet.Schema, output.PathOf($"{network.FileName}.zip"));
        }
        AnsiConsole.Write(table);
        output.Print([.. networks.Select(network => ($"{network.FileName}*", "the model, its training curves and its confusion matrix"))]);
        return 0;
    }

    private static TransformerChain<KeyToValueMappingTransformer> Train(MLContext mlContext, MnistNetwork network, IDataView trainSet, CancellationToken cancellationToken) =>
        TrainingProgressBar.Show(network.Title, progress =>
        {
            network.Options.Progress = progress;
            network.Options.CancellationToken = cancellationToken;
            var pipeline = mlContext.MulticlassClassification.Trainers.Mlp(network.Options)
                .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
            return pipeline.Fit(trainSet);
        });

    private static void Adjust(MlpMulticlassTrainer.Options options, ExampleArguments arguments)
    {
        options.Epochs = arguments.OptionalInteger(Epochs, least: 1) ?? options.Epochs;
        options.ThreadCount = arguments.OptionalInteger(Threads, least: 1);
        if (arguments.OptionalInteger(Validation, least: 0) is { } percent)
            options.ValidationFraction = percent / 100.0;
        if (arguments.Choice(Precision, "float32", "bfloat16") == "bfloat16")
            options.Precision = MLExtensions.Precision.BFloat16;
    }
}
