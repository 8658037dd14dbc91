using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.Boltzmann;

/// <summary>
/// A deep belief network on MNIST: a stack of restricted Boltzmann machines learns from all images without labels, a perceptron starts
/// from it and learns from labels, and so does the same perceptron without pretraining. Hinton, Osindero and Teh, 2006.
/// </summary>
internal sealed class DbnMnistExample : IExample
{
    private const string StackFile = "stack.zip";
    private const string Both = "both";
    private const string Pretrained = "pretrained";
    private const string Plain = "plain";

    private static readonly ExampleOption Labels = new("labels", "N", "how many labelled images to fine-tune with, as many of each digit (default: all)");
    private static readonly ExampleOption Epochs = new("epochs", "N", $"epochs of fine-tuning (default {DbnNetworks.DefaultEpochs}, with --labels {DbnNetworks.DefaultEpochsOfFewLabels})");
    private static readonly ExampleOption PretrainingEpochs = new("pretraining-epochs", "N", $"epochs of each machine (default {DbnNetworks.DefaultPretrainingEpochs})", $"{DbnNetworks.DefaultPretrainingEpochs}");
    private static readonly ExampleOption Stack = new("stack", "FILE", $"a pretrained stack of an earlier run, {StackFile}, instead of pretraining");
    private static readonly ExampleOption Only = new("only", $"{Pretrained}|{Plain}", "train one of the two networks (default: both)", Both);

    public string Name => "dbn-mnist";

    public string Summary => "MNIST (not shipped): a deep belief network, pretrained without labels, against the same network without pretraining";

    public IReadOnlyList<ExampleOption> Options => [MnistOptions.Data, Labels, Epochs, PretrainingEpochs, Stack, Only, MnistOptions.Threads, MnistOptions.Seed];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(MnistOptions.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var folder = arguments.Text(MnistOptions.Data);
        var threads = arguments.OptionalInteger(MnistOptions.Threads, least: 1);
        var labels = arguments.OptionalInteger(Labels, least: 1);
        var epochs = arguments.OptionalInteger(Epochs, least: 1) ?? (labels == null ? DbnNetworks.DefaultEpochs : DbnNetworks.DefaultEpochsOfFewLabels);
        var pretraining = DbnNetworks.CreateStack(arguments.Integer(PretrainingEpochs, least: 1), threads);
        var only = arguments.Choice(Only, Both, Pretrained, Plain);
        var stackFile = arguments.OptionalText(Stack);
        var images = MnistData.LoadTraining(mlContext, folder);
        var labelled = labels is { } count ? FewLabels.Take(mlContext, images, count, seed) : images;
        var testSet = MnistData.LoadTest(mlContext, folder);
        var output = new OutputFolder(Name);

        var table = new Table().Border(TableBorder.Rounded).Title($"{DbnNetworks.Describe()}-10, {(labels == null ? "all" : $"{labels}")} labels")
            .AddColumns("network", "epochs", "test error", "log-loss", "seconds");
        if (only != Plain)
        {
            using var stack = stackFile == null ? Pretrain(mlContext, images, pretraining, output, table, cancellationToken) : Load(mlContext, stackFile);
            Measure(DbnNetworks.CreatePretrained(stack, epochs, threads));
        }
        if (only != Pretrained)
            Measure(DbnNetworks.CreatePlain(epochs, threads));
        AnsiConsole.Write(table);
        output.Print(
            (StackFile, "the pretrained machines, for --stack"),
            ("pretraining-*.png", "how each machine's training went"),
            ("*.zip, *-loss.png", "the networks and their training curves"));
        return 0;

        void Measure(NetworkTraining network)
        {
            var watch = Stopwatch.StartNew();
            var model = network.Fit(mlContext, labelled, cancellationToken);
            var seconds = watch.Elapsed.TotalSeconds;
            var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(testSet));
            table.AddRow(network.Title, $"{network.Options.Epochs}", $"{1 - metrics.MicroAccuracy:P2}", $"{metrics.LogLoss:0.0000}", $"{seconds:N0}");
            var fileName = labels == null ? network.FileName : $"{network.FileName}-{labels}";
            NetworkTraining.NetworkOf(model).History!.SavePng(output.PathOf($"{fileName}-loss.png"));
            mlContext.Model.Save(model, images.Schema, output.PathOf($"{fileName}.zip"));
        }
    }

    /// <summary>Trains the stack on images alone, and saves it.</summary>
    private static RbmTransformer Pretrain(MLContext mlContext, IDataView images, RbmEstimator.Options options, OutputFolder output, Table table, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var stack = TrainingProgressBar.Show($"{DbnNetworks.Describe()}, without labels", progress =>
        {
            options.Progress = progress;
            options.CancellationToken = cancellationToken;
            return mlContext.Transforms.StackedRbm(options).Fit(images);
        });
        table.AddRow("pretraining", $"{options.Epochs}", "", "", $"{watch.Elapsed.TotalSeconds:N0}");
        mlContext.Model.Save(stack, images.Schema, output.PathOf(StackFile));
        for (var layer = 0; layer < stack.Layers.Count; layer++)
            stack.Histories[layer].SavePng(output.PathOf($"pretraining-layer{layer + 1}.png"));
        return stack;
    }

    private static RbmTransformer Load(MLContext mlContext, string path) => mlContext.Model.Load(path, out _) switch
    {
        RbmTransformer stack => stack,
        IEnumerable<ITransformer> chain when chain.OfType<RbmTransformer>().SingleOrDefault() is { } stack => stack,
        _ => throw new UsageException($"--stack is '{path}', which holds no restricted Boltzmann machines."),
    };
}
