using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.PredictImage;

using Text = Spectre.Console.Text; // MLExtensions.Text is nearer

/// <summary>Classifies pictures with a network that others trained.</summary>
internal sealed class PredictImageExample : IExample
{
    private const int Side = 224;
    private const int ShorterSide = 256;
    private const int Shown = 5;

    private static readonly ExampleOption Weights = new("weights", "FILE", "the network's weights, a safetensors file");
    private static readonly ExampleOption Labels = new("labels", "FILE", "the names of its classes, in order: a JSON list, or a name a line");
    private static readonly ExampleOption Fit = new(
        "fit", "middle|crop|whole", "what becomes 224 x 224 pixels: the middle of the picture at 256 pixels (default, as torchvision), its middle as high or wide as it, or all of it", "middle");
    private static readonly ExampleOption Resizing = new("resizing", "smooth|mlnet", "how the picture is resized: with a filter against jagged edges (default), or by ResizeImages", "smooth");

    public string Name => "predict-image";

    public string Summary => "what is in a picture: a pretrained ImageNet network (not shipped), recognised by its weights";

    public IReadOnlyList<ExampleOption> Options => [Weights, Labels, Fit, Resizing];

    public ExampleWords Words => new("FILE...", "the pictures");

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext();
        var names = ReadNames(arguments.Text(Labels));
        var fit = arguments.Choice(Fit, "middle", "crop", "whole");
        var rows = arguments.Choice(Resizing, "smooth", "mlnet") == "smooth"
            ? Smooth(mlContext, arguments.Words, fit)
            : WithResizeImages(mlContext, arguments.Words, fit);
        // The whole network: its outputs are the logits of the classes.
        var network = mlContext.Transforms.ImageFeatures(new ImageFeaturesEstimator.Options { OutputColumnName = "Logits", WeightsPath = arguments.Text(Weights), CropSize = Side });
        using var model = network.Fit(rows);
        var size = model.Model.Architecture.OutputCount;
        if (names.Length != size)
            throw new UsageException($"The network has {size} classes, and {arguments.Text(Labels)} names {names.Length}.");
        var logits = model.Transform(rows).GetColumn<float[]>("Logits");
        foreach (var (file, outputs) in arguments.Words.Zip(logits))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Print(file, outputs, names);
        }
        return 0;
    }

    private static IDataView Smooth(MLContext mlContext, IReadOnlyList<string> files, string fit) =>
        mlContext.Data.LoadFromEnumerable(files.Select(file =>
        {
            using var picture = PictureFile.Read(file);
            return new PictureRow
            {
                Image = fit switch
                {
                    "whole" => PictureFile.Resize(picture, Side, Side),
                    "crop" => PictureFile.ResizeAndCrop(picture, Side, Side),
                    _ => PictureFile.ResizeAndCrop(picture, ShorterSide, Side),
                },
            };
        }));

    private static IDataView WithResizeImages(MLContext mlContext, IReadOnlyList<string> files, string fit)
    {
        var paths = mlContext.Data.LoadFromEnumerable(files.Select(file => new PathRow { Path = System.IO.Path.GetFullPath(file) }));
        var (side, kind) = fit switch
        {
            "whole" => (Side, ImageResizingEstimator.ResizingKind.Fill),
            "crop" => (Side, ImageResizingEstimator.ResizingKind.IsoCrop),
            _ => (ShorterSide, ImageResizingEstimator.ResizingKind.IsoCrop),
        };
        var pipeline = mlContext.Transforms.LoadImages("Image", "", nameof(PathRow.Path))
            .Append(mlContext.Transforms.ResizeImages("Image", side, side, resizing: kind));
        return pipeline.Fit(paths).Transform(paths);
    }

    private static string[] ReadNames(string path)
    {
        var text = File.ReadAllText(path);
        return text.TrimStart().StartsWith('[')
            ? JsonSerializer.Deserialize<string[]>(text)!
            : text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static void Print(string file, float[] logits, string[] names)
    {
        var most = logits.Max();
        var exponentials = logits.Select(logit => Math.Exp(logit - most)).ToArray();
        var sum = exponentials.Sum();
        var table = new Table().Border(TableBorder.Rounded).Title(Markup.Escape(System.IO.Path.GetFileName(file)))
            .AddColumn("class").AddColumn(new TableColumn("probability").RightAligned());
        foreach (var (name, exponential) in names.Zip(exponentials).OrderByDescending(pair => pair.Second).Take(Shown))
            table.AddRow(new Text(name), new Text($"{exponential / sum:0.000}"));
        AnsiConsole.Write(table);
    }

    private sealed class PathRow
    {
        public string Path { get; set; } = "";
    }

    private sealed class PictureRow
    {
        [ImageType(Side, Side)]
        public MLImage? Image { get; set; }
    }
}
