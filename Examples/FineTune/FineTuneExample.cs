using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.FineTune;

/// <summary>Two ways to learn new classes from few pictures with a network that was trained on ImageNet.</summary>
internal sealed class FineTuneExample : IExample
{
    private const string Both = "both";
    private const string Linear = "linear";
    private const string Tuned = "tuned";

    private static readonly ExampleOption Data = new("data", "DIR", "a folder that has a folder of pictures for each class");
    private static readonly ExampleOption Weights = new("weights", "FILE", "the weights of SqueezeNet 1.0, a safetensors file");
    private static readonly ExampleOption Method = new("method", "both|linear|tuned", "a linear trainer on the network's features, fine-tuning, or both (default)", Both);
    private static readonly ExampleOption Side = new("side", "N", "the side of the pictures in fine-tuning, in pixels (default 160)", "160");
    private static readonly ExampleOption Epochs = new("epochs", "N", "how many epochs to fine-tune (default 5)", "5");
    private static readonly ExampleOption Threads = new("threads", "N", "how many CPU threads to use in training (default: libtorch's choice)");
    private static readonly ExampleOption Seed = new("seed", "N", "the seed of everything random (default 1)", "1");

    public string Name => "fine-tune";

    public string Summary => "new classes from few pictures with a pretrained network (not shipped): features, and fine-tuning";

    public IReadOnlyList<ExampleOption> Options => [Data, Weights, Method, Side, Epochs, Threads, Seed];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(Seed, least: 0));
        var (folder, weights) = (arguments.Text(Data), arguments.Text(Weights));
        var (side, epochs) = (arguments.Integer(Side, least: 32), arguments.Integer(Epochs, least: 1));
        var method = arguments.Choice(Method, Both, Linear, Tuned);
        var output = new OutputFolder(Name);
        var results = new List<MethodResult>();
        if (method != Tuned)
            results.Add(new LinearOnFeatures(mlContext, weights, output).Run(folder, cancellationToken));
        if (method != Linear)
            results.Add(new TunedNetwork(mlContext, weights, output).Run(folder, side, epochs, arguments.OptionalInteger(Threads, least: 1), cancellationToken));
        var table = new Table().Border(TableBorder.Rounded).AddColumns("method", "measured on", "accuracy", "minutes");
        foreach (var result in results)
            table.AddRow(result.Title, result.Measured, $"{result.Accuracy:P1}", $"{result.Minutes:0.0}");
        AnsiConsole.Write(table);
        if (method != Tuned)
            output.Print((LinearOnFeatures.FileName, "network and linear model: from picture to class"));
        if (method != Linear)
            output.Print((TunedNetwork.FileName, "the fine-tuned network"));
        return 0;
    }
}
