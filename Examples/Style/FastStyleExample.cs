using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Style;

/// <summary>Trains a network that paints in one style in one pass, and paints pictures of any size with it.</summary>
internal sealed class FastStyleExample : IExample
{
    private const string Image = "Image";
    private const string Styled = "Styled";
    private const int Margin = 32;
    private const int HeldOutEvery = 80;
    private const int Iterations = 200;

    // The shorter side of a style picture over that of the pictures of the training.
    private const double StyleShare = 1.5;

    private static readonly ExternalData Contents = new("The content pictures", "pictures", "DIR", "A folder of pictures to train on, with folders in it.", "caltech6");
    private static readonly ExternalData StyleFile = new("The style picture", "style", "FILE", "The picture whose style is learned.", "style/style_starry_night_crop.jpg");
    private static readonly ExampleOption Model = new("model", "FILE", "Where 'train' leaves the model and 'apply' finds it.", Path.Combine(OutputFolder.FolderOf("fast-style"), "model.zip"));
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the pictures.", "100");
    private static readonly ExampleOption Side = new("size", "N", "Number of pixels of a side in the training.", "128");
    private static readonly ExampleOption Width = new("width", "N", "Channels of the first convolution.", "16");
    private static readonly ExampleOption Blocks = new("blocks", "N", "Number of residual blocks.", "3");
    private static readonly ExampleOption Weight = new("style-weight", "X", "The factor of the style loss.", "10");

    public string Name => "fast-style";

    public ExampleHelp Help => new(
        "Trains a network that paints pictures in a style in one pass (train), paints pictures with it (apply FILE...), or trains one of four styles and paints four pictures in each (strip).",
        $"{Contents}; {StyleFile}; {PretrainedFiles.SqueezeNet}",
        "train and strip: about two hours of one core, less with --epochs; apply: a second a picture",
        "train: model.zip, history.png, held-out.png (content, one pass, optimization); apply: painted-NAME.png; strip: strip.png, strip-model.zip");

    public ExampleWords Words => new("train|apply FILE...|strip", "What to do.");

    public IReadOnlyList<ExampleOption> Options => [Contents.Option, StyleFile.Option, PretrainedFiles.SqueezeNet.Option, StripPictures.Folder.Option, Model, Epochs, Side, Width, Blocks, Weight, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken) => arguments.Words switch
    {
        ["train"] => Train(arguments, cancellationToken),
        ["apply", _, ..] => Apply(arguments, [.. arguments.Words.Skip(1)], cancellationToken),
        ["strip"] => PaintStrip(arguments, cancellationToken),
        _ => throw new UsageException("Say 'train', 'strip', or 'apply' and the files of pictures."),
    };

    private ResultLine Train(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var output = new OutputFolder(Name);
        var side = arguments.Integer(Side, least: 32);
        var files = FilesOf(arguments);
        var heldOut = files.Where((_, i) => i % HeldOutEvery == 7).ToArray();
        var options = OptionsOf(arguments, [StyleFile.Find(arguments)], side, cancellationToken);
        output.KeepEpochs(options, "model", arguments);
        // The pictures of the training are square; those that are painted later can have any size.
        using var model = mlContext.Transforms.FastStyleTransfer(options).Fit(Load(mlContext, files.Except(heldOut), side + Margin));
        model.History.SavePng(output.PathOf("history.png"));
        mlContext.Model.Save(model, null, arguments.Text(Model));
        var result = Compare(mlContext, model, Load(mlContext, heldOut, side), options, output, cancellationToken);
        output.Print(("model.zip", "the network"), ("history.png", "the losses"), ("held-out.png", "pictures that the training has not seen: content, one pass, 200 steps of optimization"));
        return result;
    }

    private static string[] FilesOf(ExampleArguments arguments) =>
        Directory.GetFiles(Contents.Find(arguments), "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();

    private static FastStyleTransferEstimator.Options OptionsOf(ExampleArguments arguments, string[] styles, int side, CancellationToken cancellationToken) => new()
    {
        InputColumnName = Image,
        OutputColumnName = Styled,
        StylePaths = styles,
        WeightsPath = PretrainedFiles.SqueezeNet.Find(arguments),
        Epochs = arguments.Integer(Epochs, least: 1),
        CropSize = side,
        Width = arguments.Integer(Width, least: 1),
        ResidualBlocks = arguments.Integer(Blocks, least: 0),
        StyleWeight = arguments.Number(Weight, least: 0),
        ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
        // Strokes of a size that fits into the pictures.
        StyleScale = styles.Length == 1 ? ScaleOf(styles[0], StyleShare * side) : 1,
        Progress = new ConsoleProgress("a network that paints"),
        CancellationToken = cancellationToken,
    };

    /// <summary>One network of four styles; a row for each content picture, a column for each style.</summary>
    private ResultLine PaintStrip(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var output = new OutputFolder(Name);
        var side = arguments.Integer(Side, least: 32);
        var shown = (int)(StyleShare * side);
        var styles = StripPictures.Resize(StripPictures.Styles(arguments), shown, output, "style");
        var contents = StripPictures.Resize(StripPictures.Contents(arguments), shown, output, "content");
        var options = OptionsOf(arguments, styles, side, cancellationToken);
        options.StyleColumnName = "Shares";
        output.KeepEpochs(options, "strip-model", arguments);
        using var model = mlContext.Transforms.FastStyleTransfer(options).Fit(Load(mlContext, FilesOf(arguments), side + Margin));
        mlContext.Model.Save(model, null, output.PathOf("strip-model.zip"));
        var rows = contents.SelectMany(content => Enumerable.Range(0, styles.Length).Select(style => new StripRow { Path = content, Shares = Enumerable.Range(0, styles.Length).Select(other => other == style ? 1f : 0).ToArray() }));
        var schema = SchemaDefinition.Create(typeof(StripRow));
        schema[nameof(StripRow.Shares)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, styles.Length);
        var data = mlContext.Data.LoadFromEnumerable(rows, schema);
        var painted = PictureRows.Read(model.Transform(mlContext.Transforms.LoadImages(Image, "", nameof(StripRow.Path)).Fit(data).Transform(data)), Styled).ToArray();
        List<MLImage?> strip = [null, .. styles.Select(MLImage.CreateFromFile)];
        for (var content = 0; content < contents.Length; content++)
            strip.AddRange([MLImage.CreateFromFile(contents[content]), .. painted[(content * styles.Length)..((content + 1) * styles.Length)]]);
        PictureStrip.Save(output.PathOf("strip.png"), styles.Length + 1, strip);
        output.Print(("strip.png", "a row for each content picture, a column for each style"), ("strip-model.zip", "the network"));
        return new ResultLine { ["pictures"] = painted.Length, ["loss"] = model.History.Epochs[^1].TrainingLoss };
    }

    /// <summary>The losses of the network's pictures over those of optimized ones.</summary>
    private static ResultLine Compare(MLContext mlContext, FastStyleTransferTransformer model, IDataView data, FastStyleTransferEstimator.Options trained, OutputFolder output, CancellationToken cancellationToken)
    {
        var losses = new List<StyleTransferProgress>();
        var options = new StyleTransferEstimator.Options
        {
            InputColumnName = Image,
            OutputColumnName = "Optimized",
            StylePaths = trained.StylePaths,
            StyleScale = trained.StyleScale,
            WeightsPath = trained.WeightsPath,
            StyleWeight = trained.StyleWeight,
            TotalVariationWeight = trained.TotalVariationWeight,
            BorderPadding = trained.BorderPadding,
            Iterations = Iterations,
            ThreadCount = trained.ThreadCount,
            Progress = new Receiver(losses.Add),
            CancellationToken = cancellationToken,
        };
        var painted = model.Transform(data);
        using var optimization = mlContext.Transforms.StyleTransfer(options).Fit(painted);
        var optimized = PictureRows.Read(optimization.Transform(painted), options.OutputColumnName).ToArray();
        var best = losses.GroupBy(report => report.Row).Select(row => row.MinBy(report => report.Loss)!).ToArray();
        // The losses before the first step are those of the picture that it starts with.
        losses.Clear();
        (options.Start, options.StartColumnName, options.Iterations) = (StyleTransferStart.Column, Styled, 1);
        using var measurement = mlContext.Transforms.StyleTransfer(options).Fit(painted);
        _ = PictureRows.Read(measurement.Transform(painted), options.OutputColumnName).Count();
        var onePass = losses.ToArray();
        var (contents, styled) = (PictureRows.Read(data, Image).ToArray(), PictureRows.Read(painted, Styled).ToArray());
        PictureStrip.Save(output.PathOf("held-out.png"), 3, contents.Zip(styled, optimized).SelectMany(row => new MLImage?[] { row.First, row.Second, row.Third }).ToArray());
        double Ratio(Func<StyleTransferProgress, double> loss) => onePass.Average(loss) / best.Average(loss);
        return new ResultLine
        {
            ["pictures"] = onePass.Length,
            ["loss"] = onePass.Average(report => report.Loss),
            ["loss-over-optimization"] = Ratio(report => report.Loss),
            ["content-loss-over-optimization"] = Ratio(report => report.ContentLoss),
            ["style-loss-over-optimization"] = Ratio(report => report.StyleLoss),
        };
    }

    private ResultLine Apply(ExampleArguments arguments, string[] files, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var output = new OutputFolder(Name);
        var path = arguments.Text(Model);
        if (!File.Exists(path))
            throw new UsageException($"There is no '{path}'. Run 'fast-style train' first, or name another model with --model.");
        if (files.FirstOrDefault(file => !File.Exists(file)) is { } missing)
            throw new UsageException($"There is no picture '{missing}'.");
        using var model = ModelFile.Load(mlContext, path) as FastStyleTransferTransformer ?? throw new UsageException($"'{path}' is not a network that paints.");
        var watch = Stopwatch.StartNew();
        foreach (var (file, picture) in files.Zip(PictureRows.Read(model.Transform(PictureRows.Load(mlContext, files)), model.OutputColumnName)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            PictureStrip.Save(output.PathOf($"painted-{Path.GetFileNameWithoutExtension(file)}.png"), 1, [picture]);
        }
        output.Print(("painted-*", "the pictures"));
        return new ResultLine { ["pictures"] = files.Length, ["pictures-per-second"] = files.Length / watch.Elapsed.TotalSeconds };
    }

    /// <summary>The factor that brings the shorter side of a picture to a number of pixels, if it has more.</summary>
    private static double ScaleOf(string path, double shorterSide)
    {
        using var picture = PictureFile.Read(path);
        return Math.Min(1, shorterSide / Math.Min(picture.Width, picture.Height));
    }

    /// <summary>Squares of the middle of pictures.</summary>
    private static IDataView Load(MLContext mlContext, IEnumerable<string> paths, int side)
    {
        var pictures = PictureRows.Load(mlContext, paths);
        var resize = mlContext.Transforms.ResizeImages(Image, side, side, resizing: ImageResizingEstimator.ResizingKind.IsoCrop);
        return resize.Fit(pictures).Transform(pictures);
    }

    private sealed class StripRow
    {
        public string Path { get; set; } = "";

        public float[] Shares { get; set; } = [];
    }

    private sealed class Receiver(Action<StyleTransferProgress> receive) : IProgress<StyleTransferProgress>
    {
        public void Report(StyleTransferProgress value) => receive(value);
    }
}
