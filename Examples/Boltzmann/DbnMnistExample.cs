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

    private static readonly ExampleOption Labels = new("labels", "N", "Number of labeled images to fine-tune with, equally many of each digit.", DefaultText: "all");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of epochs of fine-tuning.", DefaultText: $"{DbnNetworks.DefaultEpochs}, with --labels {DbnNetworks.DefaultEpochsOfFewLabels}");
    private static readonly ExampleOption PretrainingEpochs = new("pretraining-epochs", "N", "Number of epochs of each RBM.", $"{DbnNetworks.DefaultPretrainingEpochs}");
    private static readonly ExampleOption Stack = new("stack", "FILE", $"Pretrained stack of an earlier run, {StackFile}, to use instead of pretraining.", DefaultText: "a stack is pretrained");
    private static readonly ExampleOption Only = new("only", $"{Both}|{Pretrained}|{Plain}", "Networks to train.", Both);

    public string Name => "dbn-mnist";

    public ExampleHelp Help => new(
        "Pretrains a deep belief network on MNIST without labels, fine-tunes it, and compares it with the same network without pretraining.",
        $"{MnistData.Files}",
        "about 20 minutes of one core with --only pretrained, longer for both networks",
        $"{StackFile} (the pretrained RBMs, for --stack), pretraining-*.png, and each network (*.zip) with its training curves (*-loss.png), and checkpoint folders for --resume");

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, Labels, Epochs, PretrainingEpochs, Stack, Only, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var output = new OutputFolder(Name);
        var folder = MnistData.Files.Find(arguments);
        var threads = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        var labels = arguments.OptionalInteger(Labels, least: 1);
        var epochs = arguments.OptionalInteger(Epochs, least: 1) ?? (labels == null ? DbnNetworks.DefaultEpochs : DbnNetworks.DefaultEpochsOfFewLabels);
        var pretraining = DbnNetworks.CreateStack(arguments.Integer(PretrainingEpochs, least: 1), threads);
        output.KeepEpochs(pretraining, "stack", arguments);
        var only = arguments.Choice(Only, Both, Pretrained, Plain);
        var stackFile = arguments.OptionalText(Stack);
        if (stackFile != null && !File.Exists(stackFile))
            throw new UsageException($"--stack is '{stackFile}', which does not exist.");
        var images = MnistData.LoadTraining(mlContext, folder);
        var labeled = labels is { } count ? FewLabels.Take(mlContext, images, count, seed) : images;
        var testSet = MnistData.LoadTest(mlContext, folder);
        var result = new ResultLine();

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
            (StackFile, "the pretrained RBMs, for --stack"),
            ("pretraining-*.png", "the training curves of each RBM"),
            ("*.zip, *-loss.png", "the networks and their training curves"));
        return result;

        void Measure(NetworkTraining network)
        {
            var fileName = labels == null ? network.FileName : $"{network.FileName}-{labels}";
            output.KeepEpochs(network.Options, fileName, arguments);
            var watch = Stopwatch.StartNew();
            var model = network.Fit(mlContext, labeled, cancellationToken);
            var seconds = watch.Elapsed.TotalSeconds;
            var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(testSet));
            table.AddRow(network.Title, $"{network.Options.Epochs}", $"{1 - metrics.MicroAccuracy:P2}", $"{metrics.LogLoss:0.0000}", $"{seconds:N0}");
            result[$"{network.FileName}.error"] = 1 - metrics.MicroAccuracy;
            result[$"{network.FileName}.log-loss"] = metrics.LogLoss;
            result[$"{network.FileName}.seconds"] = Math.Round(seconds, 1);
            model.Network().History!.SavePng(output.PathOf($"{fileName}-loss.png"));
            mlContext.Model.Save(model, images.Schema, output.PathOf($"{fileName}.zip"));
        }
    }

    /// <summary>Trains the stack on images alone, and saves it.</summary>
    private static RbmTransformer Pretrain(MLContext mlContext, IDataView images, RbmEstimator.Options options, OutputFolder output, Table table, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        options.Progress = new ConsoleProgress($"{DbnNetworks.Describe()}, without labels");
        options.CancellationToken = cancellationToken;
        var stack = mlContext.Transforms.StackedRbm(options).Fit(images);
        table.AddRow("pretraining", $"{options.Epochs}", "", "", $"{watch.Elapsed.TotalSeconds:N0}");
        mlContext.Model.Save(stack, images.Schema, output.PathOf(StackFile));
        for (var layer = 0; layer < stack.Layers.Count; layer++)
            stack.Histories[layer].SavePng(output.PathOf($"pretraining-layer{layer + 1}.png"));
        return stack;
    }

    private static RbmTransformer Load(MLContext mlContext, string path) => ModelFile.Load(mlContext, path) switch
    {
        RbmTransformer stack => stack,
        IEnumerable<ITransformer> chain when chain.OfType<RbmTransformer>().SingleOrDefault() is { } stack => stack,
        _ => throw new UsageException($"--stack is '{path}', which does not hold restricted Boltzmann machines."),
    };
}
