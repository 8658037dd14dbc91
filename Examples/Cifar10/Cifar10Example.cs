using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Cifar10;

/// <summary>CIFAR-10: the network of TensorFlow's tutorial, a residual network, and the same without shortcuts.</summary>
internal sealed class Cifar10Example : IExample
{
    private const string All = "all";

    private static readonly ExampleOption Model = new("model", "all|tutorial|resnet20|plain20", "Networks to train.", All);
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training data.", DefaultText: "each network's own");

    public string Name => "cifar10";

    public ExampleHelp Help => new(
        "Trains the network of TensorFlow's tutorial, ResNet-20 and the same network without shortcuts on CIFAR-10.",
        $"{Cifar10Data.Files}",
        "about 22 minutes of one core for tutorial, 39 for resnet20 and as long for plain20",
        "curves.png (loss and accuracy of every network), each network (NETWORK.zip) with its confusion matrix (NETWORK-confusion.png), and images (the unpacked archive)");

    public IReadOnlyList<ExampleOption> Options => [Cifar10Data.Files.Option, Model, Epochs, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        string[] names = [Cifar10Networks.Tutorial, Cifar10Networks.ResNet20, Cifar10Networks.Plain20];
        var choice = arguments.Choice(Model, [All, .. names]);
        var networks = names.Where(name => choice is All || choice == name).Select(Cifar10Networks.Create).ToArray();
        foreach (var network in networks)
        {
            network.Options.Epochs = arguments.OptionalInteger(Epochs, least: 1) ?? network.Options.Epochs;
            network.Options.ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        }
        var output = new OutputFolder(Name);
        foreach (var network in networks)
            output.KeepEpochs(network.Options, network.FileName, arguments);
        var folder = Cifar10Data.Find(Cifar10Data.Files.Find(arguments), output);
        var comparison = new ImageComparison(mlContext, Cifar10Data.Load(mlContext, folder, "train"), Cifar10Data.Load(mlContext, folder, "test"), output);
        return comparison.Run(networks, cancellationToken);
    }
}
