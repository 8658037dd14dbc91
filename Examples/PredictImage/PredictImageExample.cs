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

    private static readonly ExternalData Weights = PretrainedFiles.Network;
    private static readonly ExternalData Labels = PretrainedFiles.ClassNames;
    private static readonly ExampleOption Fit = new(
        "fit", "middle|crop|whole", "Part of the picture that becomes 224 x 224 pixels: the middle of the picture at 256 pixels (as in torchvision), the largest square in its middle, or all of it.", "middle");
    private static readonly ExampleOption Resizing = new("resizing", "smooth|mlnet", "How the picture is resized: with a filter against jagged edges, or by ML.NET's ResizeImages.", "smooth");

    public string Name => "predict-image";

    public ExampleHelp Help => new(
        "Tells what is in pictures with a pretrained ImageNet network, whose architecture is recognized by its weights.",
        $"{Weights}; {Labels}; the pictures",
        "about 2 seconds",
        null);

    public IReadOnlyList<ExampleOption> Options => [Weights.Option, Labels.Option, Fit, Resizing];

    public ExampleWords Words => new("FILE...", "Pictures to classify.");

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext();
        var (weights, labels) = (Weights.Find(arguments), Labels.Find(arguments));
        if (arguments.Words.FirstOrDefault(file => !File.Exists(file)) is { } missing)
            throw new UsageException($"There is no picture '{missing}'.");
        var names = ReadNames(labels);
        var fit = arguments.Choice(Fit, "middle", "crop", "whole");
        var rows = arguments.Choice(Resizing, "smooth", "mlnet") == "smooth"
            ? Smooth(mlContext, arguments.Words, fit)
            : WithResizeImages(mlContext, arguments.Words, fit);
        // The whole network: its outputs are the logits of the classes.
        var network = mlContext.Transforms.ImageFeatures(new ImageFeaturesEstimator.Options { OutputColumnName = "Logits", WeightsPath = weights, CropSize = Side });
        using var model = network.Fit(rows);
        var size = model.Model.Architecture.OutputCount;
        if (names.Length != size)
            throw new UsageException($"The network has {size} classes, but {labels} has {names.Length} names.");
        var logits = model.Transform(rows).GetColumn<float[]>("Logits");
        var result = new ResultLine();
        foreach (var (file, outputs) in arguments.Words.Zip(logits))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Print(file, outputs, names, result);
        }
        return result;
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

    private static void Print(string file, float[] logits, string[] names, ResultLine result)
    {
        var most = logits.Max();
        var exponentials = logits.Select(logit => Math.Exp(logit - most)).ToArray();
        var sum = exponentials.Sum();
        var table = new Table().Border(TableBorder.Rounded).Title(Markup.Escape(System.IO.Path.GetFileName(file)))
            .AddColumn("class").AddColumn(new TableColumn("probability").RightAligned());
        var picture = ResultLine.NameOf(System.IO.Path.GetFileNameWithoutExtension(file));
        var best = Enumerable.Range(0, names.Length).OrderByDescending(index => exponentials[index]).Take(Shown).ToArray();
        for (var rank = 1; rank <= best.Length; rank++)
        {
            var probability = exponentials[best[rank - 1]] / sum;
            table.AddRow(new Text(names[best[rank - 1]]), new Text($"{probability:0.000}"));
            result[$"{picture}.class{rank}"] = best[rank - 1];
            result[$"{picture}.probability{rank}"] = probability;
        }
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
