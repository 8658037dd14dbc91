using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Cifar10;

/// <summary>
/// The degradation that residual networks were made against (chapter 9 of the book; He, Zhang, Ren and Sun, 2016): without shortcuts
/// the deeper of two networks has the higher error even on its training images.
/// </summary>
internal sealed class DepthExample : IExample
{
    private static readonly ExampleOption Data = new("data", "DIR", "the folder of cifar10_jpeg_full.tar.gz, or of its folders train and test");
    private static readonly ExampleOption Images = new("images", "N", "how many training images to take (default 5000)", "5000");
    private static readonly ExampleOption Channels = new("channels", "N", "the channels of the first stage, 16 in the paper (default 8)", "8");
    private static readonly ExampleOption Epochs = new("epochs", "N", "how many epochs to train (default 12)", "12");
    private static readonly ExampleOption Depths = new("deep", "N", "the depth of the deep networks, 6n + 2 (default 56)", "56");
    private static readonly ExampleOption Threads = new("threads", "N", "how many CPU threads to use (default: libtorch's choice)");
    private static readonly ExampleOption Seed = new("seed", "N", "the seed of everything random (default 1)", "1");

    private const int Shallow = 20;

    public string Name => "depth";

    public string Summary => "why shortcuts: plain and residual networks of 20 and 56 layers on CIFAR-10 (not shipped)";

    public IReadOnlyList<ExampleOption> Options => [Data, Images, Channels, Epochs, Depths, Threads, Seed];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(Seed, least: 0));
        var output = new OutputFolder(Name);
        var folder = Cifar10Data.Find(arguments.Text(Data), output);
        var all = mlContext.Data.ShuffleRows(Cifar10Data.Load(mlContext, folder, "train"), arguments.Integer(Seed, least: 0));
        var trainSet = mlContext.Data.TakeRows(all, arguments.Integer(Images, least: 100));
        var deep = arguments.Integer(Depths, least: Shallow);
        var networks = new List<NetworkTraining>();
        foreach (var shortcuts in new[] { false, true })
        {
            foreach (var depth in new[] { Shallow, deep })
            {
                var options = Cifar10Networks.CreateResNet(depth, shortcuts, arguments.Integer(Channels, least: 1));
                options.Epochs = arguments.Integer(Epochs, least: 1);
                options.ThreadCount = arguments.OptionalInteger(Threads, least: 1);
                options.LearningRate = 0.1;
                var name = shortcuts ? "ResNet" : "plain";
                networks.Add(new NetworkTraining($"{name}-{depth}", $"{name}{depth}".ToLowerInvariant(), options));
            }
        }
        new ImageComparison(mlContext, trainSet, Cifar10Data.Load(mlContext, folder, "test"), output).Run(networks, cancellationToken);
        return 0;
    }
}
