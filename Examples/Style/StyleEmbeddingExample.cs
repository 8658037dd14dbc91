using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Style;

/// <summary>Tells paintings apart by the style of small patches, and finds patches of the same style.</summary>
internal sealed class StyleEmbeddingExample : IExample
{
    private const int ShorterSide = 256;
    private const int PatchSide = 64;
    private const int Strips = 4;
    private const int PatchesPerStrip = 30;
    private const int BytesPerPixel = 4;

    private static readonly ExternalData Folder = new("The paintings", "paintings", "DIR", "A folder with a picture of each painting: the JPEG files with 'style' in their names.", "style");
    private static readonly ExampleOption Skip = new("skip", "NAME,...", "Pictures to leave out. Two of one painting cannot be told apart by their style.", "nst_2-style2");
    private static readonly ExampleOption Gram = ExampleOption.Flag("gram", "Uses Gram matrices instead of means and deviations.");

    public string Name => "style-embedding";

    public ExampleHelp Help => new(
        "Tells paintings apart by the style of patches of 64 pixels: a linear model learns from three quarters of each painting and is tested on the fourth.",
        $"{Folder}; {PretrainedFiles.SqueezeNet}",
        "about a minute of one core",
        "no files");

    public IReadOnlyList<ExampleOption> Options => [Folder.Option, PretrainedFiles.SqueezeNet.Option, Skip, Gram, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var skipped = arguments.Text(Skip).Split(',');
        var files = Directory.GetFiles(Folder.Find(arguments), "*style*.jpg").Where(file => !skipped.Contains(Path.GetFileNameWithoutExtension(file))).Order(StringComparer.Ordinal).ToArray();
        if (files.Length < 2)
            throw new UsageException("There must be at least two JPEG files with 'style' in their names.");
        var patches = files.SelectMany(file => Cut(file, new Random(seed))).ToArray();
        var data = mlContext.Data.LoadFromEnumerable(patches);
        var style = mlContext.Transforms.StyleEmbedding(new StyleEmbeddingEstimator.Options
        {
            WeightsPath = PretrainedFiles.SqueezeNet.Find(arguments),
            Statistic = arguments.IsGiven(Gram) ? StyleStatistic.Gram : StyleStatistic.MeansAndDeviations,
        });
        using var embedding = style.Fit(data);
        var described = patches.Zip(embedding.Transform(data).GetColumn<float[]>("Features"), (patch, vector) => patch.Describe(vector)).ToArray();
        var pixels = Array.ConvertAll(patches, patch => patch.Describe(PixelStatistics(patch.Image!)));
        cancellationToken.ThrowIfCancellationRequested();

        var (ofStyle, ofPixels) = (Accuracy(mlContext, described), Accuracy(mlContext, pixels));
        var (foundByStyle, foundByPixels) = (NearestIsSame(described), NearestIsSame(pixels));
        AnsiConsole.Write(new Table().Border(TableBorder.Rounded).AddColumns($"{files.Length} paintings, {patches.Length} patches", "style of the layers", "mean and deviation of the pixels")
            .AddRow("numbers", $"{embedding.Size}", "6")
            .AddRow("right by a linear model", $"{ofStyle:P1}", $"{ofPixels:P1}")
            .AddRow("nearest patch of another quarter is of the same painting", $"{foundByStyle:P1}", $"{foundByPixels:P1}"));
        return new ResultLine { ["style.accuracy"] = ofStyle, ["pixels.accuracy"] = ofPixels, ["style.nearest"] = foundByStyle, ["pixels.nearest"] = foundByPixels };
    }

    /// <summary>Patches from strips across the longer side, so that those of two strips do not overlap.</summary>
    private static IEnumerable<Patch> Cut(string file, Random random)
    {
        using var picture = PictureFile.Read(file);
        var scale = (double)ShorterSide / Math.Min(picture.Width, picture.Height);
        using var painting = PictureFile.Resize(picture, (int)Math.Round(picture.Width * scale), (int)Math.Round(picture.Height * scale));
        var isWide = painting.Width >= painting.Height;
        var strip = Math.Max(painting.Width, painting.Height) / Strips;
        for (var number = 0; number < Strips * PatchesPerStrip; number++)
        {
            var along = (number % Strips * strip) + random.Next(strip - PatchSide + 1);
            var across = random.Next(ShorterSide - PatchSide + 1);
            var (left, top) = isWide ? (along, across) : (across, along);
            var pixels = new byte[PatchSide * PatchSide * BytesPerPixel];
            for (var row = 0; row < PatchSide; row++)
                painting.Pixels.Slice((((top + row) * painting.Width) + left) * BytesPerPixel, PatchSide * BytesPerPixel).CopyTo(pixels.AsSpan(row * PatchSide * BytesPerPixel));
            yield return new Patch { Painting = Path.GetFileNameWithoutExtension(file), Strip = number % Strips, Image = MLImage.CreateFromPixels(PatchSide, PatchSide, MLPixelFormat.Rgba32, pixels) };
        }
    }

    /// <summary>Each strip is left out once.</summary>
    private static double Accuracy(MLContext mlContext, DescribedPatch[] patches)
    {
        var schema = SchemaDefinition.Create(typeof(DescribedPatch));
        schema[nameof(DescribedPatch.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, patches[0].Features.Length);
        var pipeline = mlContext.Transforms.NormalizeMeanVariance(nameof(DescribedPatch.Features))
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", nameof(DescribedPatch.Painting)))
            .AppendCacheCheckpoint(mlContext)
            .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new() { NumberOfThreads = 1, L2Regularization = 1, OptimizationTolerance = 1e-4f }));
        return Enumerable.Range(0, Strips).Average(strip =>
        {
            var model = pipeline.Fit(mlContext.Data.LoadFromEnumerable(patches.Where(patch => patch.Strip != strip), schema));
            return mlContext.MulticlassClassification.Evaluate(model.Transform(mlContext.Data.LoadFromEnumerable(patches.Where(patch => patch.Strip == strip), schema))).MicroAccuracy;
        });
    }

    /// <summary>How often the most similar patch of another strip is of the same painting, each number scaled by its deviation.</summary>
    private static double NearestIsSame(DescribedPatch[] patches)
    {
        var scales = Enumerable.Range(0, patches[0].Features.Length).Select(i =>
        {
            var mean = patches.Average(patch => (double)patch.Features[i]);
            return 1 / Math.Max(1e-6, Math.Sqrt(patches.Average(patch => Math.Pow(patch.Features[i] - mean, 2))));
        }).ToArray();
        double Distance(float[] a, float[] b)
        {
            var sum = 0.0;
            for (var i = 0; i < a.Length; i++)
                sum += Math.Pow((a[i] - b[i]) * scales[i], 2);
            return sum;
        }
        return patches.Average(patch => patches.Where(other => other.Strip != patch.Strip).MinBy(other => Distance(patch.Features, other.Features))!.Painting == patch.Painting ? 1.0 : 0);
    }

    private static float[] PixelStatistics(MLImage image)
    {
        var values = PictureFile.PlanarPixels(image, 3).Chunk(image.Width * image.Height).ToArray();
        return values.Select(channel => channel.Average()).Concat(values.Select(channel => (float)Math.Sqrt(channel.Average(value => Math.Pow(value - channel.Average(), 2))))).ToArray();
    }

    private sealed class Patch
    {
        public string Painting { get; init; } = "";

        public int Strip { get; init; }

        [ImageType(PatchSide, PatchSide)]
        public MLImage? Image { get; init; }

        public DescribedPatch Describe(float[] features) => new() { Painting = Painting, Strip = Strip, Features = features };
    }

    private sealed class DescribedPatch
    {
        public string Painting { get; init; } = "";

        public int Strip { get; init; }

        public float[] Features { get; init; } = [];
    }
}
