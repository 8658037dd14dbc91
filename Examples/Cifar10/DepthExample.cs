using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Cifar10;

/// <summary>
/// The degradation that residual networks prevent (He, Zhang, Ren and Sun, 2016): without shortcuts
/// the deeper of two networks has the higher error even on its training images.
/// </summary>
internal sealed class DepthExample : IExample
{
    private static readonly ExampleOption Images = new("images", "N", "Number of training images.", "5000");
    private static readonly ExampleOption Channels = new("channels", "N", "Number of channels of the first stage. 16 in the paper.", "8");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training data.", "12");
    private static readonly ExampleOption Depths = new("deep", "N", "Number of layers of the deep networks, 6n + 2.", "56");

    private const int Shallow = 20;

    public string Name => "depth";

    public ExampleHelp Help => new(
        "Shows on CIFAR-10 why deep networks need shortcuts: it trains plain and residual networks of 20 and 56 layers.",
        $"{Cifar10Data.Files}",
        "not measured with the defaults; about 10 minutes of one core with --images 2000 --epochs 6",
        "curves.png (loss and accuracy of every network), each network (NETWORK.zip) with its confusion matrix (NETWORK-confusion.png), and images (the unpacked archive)");

    public IReadOnlyList<ExampleOption> Options => [Cifar10Data.Files.Option, Images, Channels, Epochs, Depths, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var output = new OutputFolder(Name);
        var folder = Cifar10Data.Find(Cifar10Data.Files.Find(arguments), output);
        var all = mlContext.Data.ShuffleRows(Cifar10Data.Load(mlContext, folder, "train"), arguments.Integer(ExampleOption.Seed, least: 0));
        var trainSet = mlContext.Data.TakeRows(all, arguments.Integer(Images, least: 100));
        var deep = arguments.Integer(Depths, least: Shallow);
        var networks = new List<NetworkTraining>();
        foreach (var shortcuts in new[] { false, true })
        {
            foreach (var depth in new[] { Shallow, deep })
            {
                var options = Cifar10Networks.CreateResNet(depth, shortcuts, arguments.Integer(Channels, least: 1));
                options.Epochs = arguments.Integer(Epochs, least: 1);
                options.ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
                options.LearningRate = 0.1;
                var name = shortcuts ? "ResNet" : "plain";
                networks.Add(new NetworkTraining($"{name}-{depth}", $"{name}{depth}".ToLowerInvariant(), options));
            }
        }
        foreach (var network in networks)
            output.KeepEpochs(network.Options, network.FileName, arguments);
        return new ImageComparison(mlContext, trainSet, Cifar10Data.Load(mlContext, folder, "test"), output).Run(networks, cancellationToken);
    }
}
