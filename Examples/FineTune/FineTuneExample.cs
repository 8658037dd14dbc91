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

    private static readonly ExternalData Data = new("The folder of pictures", "data", "DIR", "Folder that has a folder of pictures for each class.", "caltech6");
    private static readonly ExternalData Weights = PretrainedFiles.SqueezeNet;
    private static readonly ExampleOption Method = new("method", "both|linear|tuned", "Method: a linear trainer on the network's features, fine-tuning, or both.", Both);
    private static readonly ExampleOption Side = new("side", "N", "Side of the pictures in fine-tuning, in pixels.", "160");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of epochs of fine-tuning.", "5");

    public string Name => "fine-tune";

    public ExampleHelp Help => new(
        "Learns new classes from few pictures with a pretrained SqueezeNet: by a linear trainer on its features, and by fine-tuning.",
        $"{Data}; {Weights}",
        "about 3 minutes for 325 pictures",
        $"{LinearOnFeatures.FileName} (network and linear model, from picture to class) and {TunedNetwork.FileName} (the fine-tuned network, with a checkpoint folder for --resume)");

    public IReadOnlyList<ExampleOption> Options => [Data.Option, Weights.Option, Method, Side, Epochs, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var (folder, weights) = (Data.Find(arguments), Weights.Find(arguments));
        var (side, epochs) = (arguments.Integer(Side, least: 32), arguments.Integer(Epochs, least: 1));
        var method = arguments.Choice(Method, Both, Linear, Tuned);
        var output = new OutputFolder(Name);
        var results = new List<MethodResult>();
        if (method != Tuned)
            results.Add(new LinearOnFeatures(mlContext, weights, output).Run(folder, cancellationToken));
        if (method != Linear)
            results.Add(new TunedNetwork(mlContext, weights, output).Run(folder, side, epochs, arguments, cancellationToken));
        var table = new Table().Border(TableBorder.Rounded).AddColumns("method", "measured on", "accuracy", "minutes");
        foreach (var result in results)
            table.AddRow(result.Title, result.Measured, $"{result.Accuracy:P1}", $"{result.Minutes:0.0}");
        AnsiConsole.Write(table);
        if (method != Tuned)
            output.Print((LinearOnFeatures.FileName, "network and linear model: from picture to class"));
        if (method != Linear)
            output.Print((TunedNetwork.FileName, "the fine-tuned network"));
        var figures = new ResultLine();
        foreach (var result in results)
        {
            figures[$"{result.Name}.accuracy"] = result.Accuracy;
            figures[$"{result.Name}.seconds"] = Math.Round(result.Minutes * 60, 1);
        }
        return figures;
    }
}
