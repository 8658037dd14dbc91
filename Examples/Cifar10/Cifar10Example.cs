using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Cifar10;

/// <summary>CIFAR-10: the network of TensorFlow's tutorial, a residual network, and the same without shortcuts.</summary>
internal sealed class Cifar10Example : IExample
{
    private const string All = "all";

    private static readonly ExampleOption Data = new("data", "DIR", "the folder of cifar10_jpeg_full.tar.gz, or of its folders train and test");
    private static readonly ExampleOption Model = new("model", "all|tutorial|resnet20|plain20", "which networks to train (default all)", All);
    private static readonly ExampleOption Epochs = new("epochs", "N", "how many epochs to train (default: each network's own)");
    private static readonly ExampleOption Threads = new("threads", "N", "how many CPU threads to use (default: libtorch's choice)");
    private static readonly ExampleOption Seed = new("seed", "N", "the seed of everything random (default 1)", "1");

    public string Name => "cifar10";

    public string Summary => "CIFAR-10 (not shipped): the tutorial's network of the book's chapter 6, ResNet-20 and plain-20";

    public IReadOnlyList<ExampleOption> Options => [Data, Model, Epochs, Threads, Seed];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(Seed, least: 0));
        string[] names = [Cifar10Networks.Tutorial, Cifar10Networks.ResNet20, Cifar10Networks.Plain20];
        var choice = arguments.Choice(Model, [All, .. names]);
        var networks = names.Where(name => choice is All || choice == name).Select(Cifar10Networks.Create).ToArray();
        foreach (var network in networks)
        {
            network.Options.Epochs = arguments.OptionalInteger(Epochs, least: 1) ?? network.Options.Epochs;
            network.Options.ThreadCount = arguments.OptionalInteger(Threads, least: 1);
        }
        var output = new OutputFolder(Name);
        var folder = Cifar10Data.Find(arguments.Text(Data), output);
        var comparison = new ImageComparison(mlContext, Cifar10Data.Load(mlContext, folder, "train"), Cifar10Data.Load(mlContext, folder, "test"), output);
        comparison.Run(networks, cancellationToken);
        return 0;
    }
}
