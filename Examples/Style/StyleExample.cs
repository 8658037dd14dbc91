using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Style;

/// <summary>Paints a picture in the style of others, by optimization.</summary>
internal sealed class StyleExample : IExample
{
    private const int Steps = 5;

    private static readonly ExternalData ContentFile = new("The content picture", "content", "FILE", "The picture to paint; with --grid several, separated by commas.", "style/china.jpg");
    private static readonly ExternalData StyleFile = new("The style picture", "style", "FILE", "The picture whose style is used; several, separated by commas, are blended.", "style/style_starry_night_crop.jpg");
    private static readonly ExampleOption Side = new("size", "N", "Number of pixels of the shorter side of all pictures.", "192");
    private static readonly ExampleOption Iterations = new("iterations", "N", "Number of steps.", "200");
    private static readonly ExampleOption Weight = new("style-weight", "X", "The factor of the style loss.", "20");
    private static readonly ExampleOption Smoothness = new("tv-weight", "X", "The factor of the total variation.", "1");
    private static readonly ExampleOption Lbfgs = ExampleOption.Flag("lbfgs", "Uses L-BFGS instead of Adam.");
    private static readonly ExampleOption Noise = ExampleOption.Flag("noise", "Starts from noise instead of the content picture.");
    private static readonly ExampleOption Colors = ExampleOption.Flag("keep-colors", "Keeps the colors of the content picture.");
    private static readonly ExampleOption Ratios = ExampleOption.Flag("ratios", "Paints one picture for each ratio of content to style loss: 1e-5 to 1e-2 with the absolute formulas of Gatys et al.");

    private static readonly ExampleOption Grid = ExampleOption.Flag("grid", "Paints every content picture in every style.");

    private static readonly ExampleOption Strip = ExampleOption.Flag("strip", "Paints the four contents of the documentation in its four styles, as --grid does.");

    public string Name => "style";

    public ExampleHelp Help => new(
        "Paints a picture in the style of others: the picture is changed until a pretrained network sees the content of the one and the style of the others in it.",
        $"{ContentFile}; {StyleFile}; {PretrainedFiles.SqueezeNet}",
        "about half a minute of one core; --ratios 4 times, --strip 16 times as long",
        "styled.png, way.png: content, pictures on the way, result, style; or ratios.png; or grid.png");

    public IReadOnlyList<ExampleOption> Options => [ContentFile.Option, StyleFile.Option, PretrainedFiles.SqueezeNet.Option, Side, Iterations, Weight, Smoothness, Lbfgs, Noise, Colors, Ratios, Grid, Strip, StripPictures.Folder.Option, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var output = new OutputFolder(Name);
        var side = arguments.Integer(Side, least: 32);
        var isStrip = arguments.IsGiven(Strip);
        var contents = StripPictures.Resize(isStrip ? StripPictures.Contents(arguments) : Files(ContentFile, arguments), side, output, "content");
        var styles = StripPictures.Resize(isStrip ? StripPictures.Styles(arguments) : Files(StyleFile, arguments), side, output, "style");
        var iterations = arguments.Integer(Iterations, least: 1);
        var options = new StyleTransferEstimator.Options
        {
            StylePaths = styles,
            WeightsPath = PretrainedFiles.SqueezeNet.Find(arguments),
            Iterations = iterations,
            StyleWeight = arguments.Number(Weight, least: 0),
            TotalVariationWeight = arguments.Number(Smoothness, least: 0),
            Optimizer = arguments.IsGiven(Lbfgs) ? new LbfgsOptimizer() : new AdamOptimizer(),
            Start = arguments.IsGiven(Noise) ? StyleTransferStart.Noise : StyleTransferStart.Content,
            PreserveColors = arguments.IsGiven(Colors),
            ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
            PictureInterval = Math.Max(1, iterations / Steps),
            CancellationToken = cancellationToken,
        };
        return isStrip || arguments.IsGiven(Grid) ? PaintGrid(mlContext, contents, styles, options, output)
            : arguments.IsGiven(Ratios) ? PaintRatios(mlContext, contents[0], styles[0], options, output)
            : PaintOne(mlContext, contents[0], styles, options, output);
    }

    private static ResultLine PaintOne(MLContext mlContext, string content, string[] styles, StyleTransferEstimator.Options options, OutputFolder output)
    {
        var losses = new List<StyleTransferProgress>();
        var picture = Paint(mlContext, content, options, losses);
        PictureStrip.Save(output.PathOf("styled.png"), 1, [picture]);
        var way = losses.Select(report => report.Picture).OfType<MLImage>().SkipLast(1);
        MLImage?[] strip = [MLImage.CreateFromFile(content), .. way, picture, .. styles.Select(MLImage.CreateFromFile)];
        PictureStrip.Save(output.PathOf("way.png"), strip.Length, strip);
        output.Print(("styled.png", "the picture"), ("way.png", "content, pictures on the way, result, style"));
        return new ResultLine
        {
            ["loss"] = losses.Min(report => report.Loss),
            ["loss-of-start"] = losses[0].Loss,
            ["content-loss"] = losses[^1].ContentLoss,
            ["style-loss"] = losses[^1].StyleLoss,
        };
    }

    private static ResultLine PaintRatios(MLContext mlContext, string content, string style, StyleTransferEstimator.Options options, OutputFolder output)
    {
        var result = new ResultLine();
        var pictures = new List<MLImage?> { MLImage.CreateFromFile(content), MLImage.CreateFromFile(style) };
        (options.LossForm, options.ContentWeight) = (StyleLossForm.Absolute, 1);
        foreach (var (exponent, ratio) in new[] { (5, 1e-5), (4, 1e-4), (3, 1e-3), (2, 1e-2) })
        {
            options.StyleWeight = 1 / ratio;
            var losses = new List<StyleTransferProgress>();
            pictures.Add(Paint(mlContext, content, options, losses));
            result[$"ratio-{exponent}.content-loss"] = losses[^1].ContentLoss;
            result[$"ratio-{exponent}.style-loss"] = losses[^1].StyleLoss;
        }
        PictureStrip.Save(output.PathOf("ratios.png"), pictures.Count, pictures);
        output.Print(("ratios.png", "content, style, and the ratios 1e-5, 1e-4, 1e-3, 1e-2"));
        return result;
    }

    private static MLImage Paint(MLContext mlContext, string content, StyleTransferEstimator.Options options, List<StyleTransferProgress> losses) => AnsiConsole.Progress().Start(context =>
    {
        var task = context.AddTask("painting", maxValue: options.Iterations);
        options.Progress = new Receiver(report =>
        {
            losses.Add(report);
            task.Value = report.Iteration;
            task.Description = $"loss {report.Loss:0.0000}: content {report.ContentLoss:0.0000}, style {report.StyleLoss:0.00000}, variation {report.TotalVariation:0.0000}";
        });
        var data = PictureRows.Load(mlContext, content);
        using var transformer = mlContext.Transforms.StyleTransfer(options).Fit(data);
        return PictureRows.Read(transformer.Transform(data), options.OutputColumnName).Single();
    });

    /// <summary>A row for each content picture, a column for each style; what went wrong in a picture is counted.</summary>
    private static ResultLine PaintGrid(MLContext mlContext, string[] contents, string[] styles, StyleTransferEstimator.Options options, OutputFolder output)
    {
        var pictures = new List<MLImage?> { null };
        pictures.AddRange(styles.Select(MLImage.CreateFromFile));
        var (ratios, black, clipped) = (new List<double>(), 0, 0);
        foreach (var content in contents)
        {
            pictures.Add(MLImage.CreateFromFile(content));
            foreach (var style in styles)
            {
                options.StylePaths = [style];
                var losses = new List<StyleTransferProgress>();
                var picture = Paint(mlContext, content, options, losses);
                pictures.Add(picture);
                ratios.Add(losses.Min(report => report.Loss) / losses[0].Loss);
                var values = picture.Pixels.ToArray().Where((_, i) => i % 4 != 3).ToArray();
                black += values.Max() < 64 || values.Max() - values.Min() < 64 ? 1 : 0;
                clipped += values.Count(value => value is 0 or 255) > values.Length / 5 ? 1 : 0;
            }
        }
        PictureStrip.Save(output.PathOf("grid.png"), styles.Length + 1, pictures);
        output.Print(("grid.png", "a row for each content picture, a column for each style"));
        return new ResultLine { ["pictures"] = ratios.Count, ["loss-ratio.mean"] = ratios.Average(), ["loss-ratio.largest"] = ratios.Max(), ["flat"] = black, ["clipped"] = clipped };
    }

    private static string[] Files(ExternalData data, ExampleArguments arguments) => arguments.OptionalText(data.Option)?.Split(',') ?? [data.Find(arguments)];

    private sealed class Receiver(Action<StyleTransferProgress> receive) : IProgress<StyleTransferProgress>
    {
        public void Report(StyleTransferProgress value) => receive(value);
    }
}
