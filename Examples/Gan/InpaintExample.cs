using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.Gan;

/// <summary>Fills holes in MNIST's test digits with the generator of a conditional GAN.</summary>
internal sealed class InpaintExample : IExample
{
    private const string Image = "Image";
    private const int FirstDigit = 200;
    private const int Drawn = 16;

    private static readonly ExampleOption Model = new("model", "FILE", "A GAN of MNIST's digits; the example cgan-mnist makes it.", Path.Combine(OutputFolder.FolderOf("cgan-mnist"), "model.zip"));
    private static readonly ExampleOption Count = new("digits", "N", "Number of test digits.", "64");

    public string Name => "inpaint";

    public ExampleHelp Help => new(
        "Fills holes in digits with a trained generative adversarial network, and compares the fills with simpler ones.",
        $"{MnistData.Files}, and the model of cgan-mnist",
        "about 8 minutes of one core",
        "inpaint-center.png, inpaint-half.png, inpaint-random.png: rows of truth, hole, best candidate, weighted mean, nearest training image, harmonic fill");

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, Model, Count, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var folder = MnistData.Files.Find(arguments);
        var path = arguments.Text(Model);
        if (!File.Exists(path))
            throw new UsageException($"There is no '{path}'. The example cgan-mnist makes it: run that first, or name another model with --model.");
        using var gan = ModelFile.Load(mlContext, path) as GanTransformer ?? throw new UsageException($"'{path}' is not a GAN.");
        var output = new OutputFolder(Name);
        var training = Pixels(MnistData.LoadTraining(mlContext, folder)).ToArray();
        var digits = Pixels(mlContext.Data.SkipRows(MnistData.LoadTest(mlContext, folder), FirstDigit)).Take(arguments.Integer(Count, least: 1)).ToArray();
        var rivals = new HoleFills(training);
        var range = gan.Architecture.Values ?? ValueRange.Unit;
        var data = ToData(mlContext, digits, range);

        var result = new ResultLine();
        var table = new Table().Border(TableBorder.Rounded).AddColumns("PSNR in the hole, dB", "best candidate", "weighted mean", "mean image", "nearest training image", "harmonic fill");
        foreach (var (name, shape) in new[] { ("center", InpaintingMaskShape.Center), ("half", InpaintingMaskShape.RightHalf), ("random", InpaintingMaskShape.Random) })
        {
            var holes = Fill(mlContext, gan, shape, data, digits, range, cancellationToken);
            var (nearest, harmonic) = (holes.Select(hole => rivals.Nearest(hole)).ToArray(), holes.Select(rivals.Harmonic).ToArray());
            var figures = new[]
            {
                Psnr(holes, holes.Select(hole => hole.Best)), Psnr(holes, holes.Select(hole => hole.Mean)), Psnr(holes, holes.Select(_ => rivals.Mean)), Psnr(holes, nearest), Psnr(holes, harmonic),
            };
            table.AddRow([name, .. figures.Select(figure => $"{figure:0.00}")]);
            foreach (var (kind, figure) in new[] { "best", "mean", "mean-image", "nearest", "harmonic" }.Zip(figures))
                result[$"{name}.{kind}"] = figure;
            var rows = new[] { holes.Select(hole => hole.Truth), holes.Select(hole => hole.Known), holes.Select(hole => hole.Best), holes.Select(hole => hole.Mean), nearest, harmonic };
            var tiles = rows.SelectMany(row => row.Take(Drawn)).Select(image => image.Select(x => Scaled(x, range)).ToArray()).ToArray();
            gan.SaveSamplesPng(output.PathOf($"inpaint-{name}.png"), tiles, Math.Min(Drawn, digits.Length));
        }
        AnsiConsole.Write(table);
        output.Print(("inpaint-*", "rows: truth, hole, best candidate, weighted mean, nearest training image, harmonic fill"));
        return result;
    }

    /// <summary>One search gives both fills: the best candidate is generated again from its noise.</summary>
    private static Hole[] Fill(MLContext mlContext, GanTransformer gan, InpaintingMaskShape shape, IDataView data, float[][] digits, ValueRange range, CancellationToken cancellationToken)
    {
        using var inpainting = mlContext.Transforms.Inpaint(gan, new InpaintingEstimator.Options
        {
            ImageColumnName = Image,
            OutputColumnName = nameof(Filled.Whole),
            MaskShape = shape,
            LatentColumnName = nameof(Filled.Noise),
            ClassColumnName = gan.LabelColumnName == null ? null : nameof(Filled.Digit),
            UsedMaskColumnName = nameof(Filled.Mask),
        }).Fit(data);
        var view = inpainting.Transform(data);
        if (gan.LabelColumnName == null)
            view = mlContext.Transforms.CustomMapping<Digit, NoClass>((_, none) => none.Digit = 0, null).Fit(view).Transform(view);
        return AnsiConsole.Progress().Start(context =>
        {
            var progress = context.AddTask($"{shape}", maxValue: digits.Length);
            var holes = new List<Hole>();
            foreach (var (row, truth) in mlContext.Data.CreateEnumerable<Filled>(view, reuseRowObject: false).Zip(digits))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var label = gan.LabelColumnName == null ? null : gan.ClassNames?[(int)row.Digit - 1] ?? $"{row.Digit}";
                var best = gan.Sample(row.Noise, label);
                float[] Unit(float[] image) => image.Select((x, p) => row.Mask[p] == 0 ? truth[p] : (float)((x - range.Minimum) / (range.Maximum - range.Minimum))).ToArray();
                holes.Add(new Hole(truth, row.Mask, Unit(best), Unit(row.Whole)));
                progress.Increment(1);
            }
            return holes.ToArray();
        });
    }

    private static IEnumerable<float[]> Pixels(IDataView data) => data.GetColumn<float[]>("Features");

    private static float Scaled(float pixel, ValueRange range) => (float)(range.Minimum + (pixel * (range.Maximum - range.Minimum)));

    private static IDataView ToData(MLContext mlContext, float[][] digits, ValueRange range)
    {
        var schema = SchemaDefinition.Create(typeof(Digit));
        schema[Image].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 1, MnistData.Side, MnistData.Side);
        return mlContext.Data.LoadFromEnumerable(digits.Select(digit => new Digit { Image = digit.Select(x => Scaled(x, range)).ToArray() }).ToArray(), schema);
    }

    /// <summary>The peak signal-to-noise ratio over all missing pixels, for a peak of 1.</summary>
    private static double Psnr(IReadOnlyList<Hole> holes, IEnumerable<float[]> fills)
    {
        var (sum, count) = (0.0, 0);
        foreach (var (hole, fill) in holes.Zip(fills))
        {
            for (var p = 0; p < fill.Length; p++)
            {
                if (hole.Mask[p] == 0)
                    continue;
                sum += (hole.Truth[p] - fill[p]) * (double)(hole.Truth[p] - fill[p]);
                count++;
            }
        }
        return -10 * Math.Log10(sum / count);
    }

    private sealed class Digit
    {
        public float[] Image { get; set; } = [];
    }

    private sealed class Filled
    {
        public float[] Whole { get; set; } = [];

        public float[] Noise { get; set; } = [];

        public float[] Mask { get; set; } = [];

        [KeyType(10)]
        public uint Digit { get; set; }
    }

    private sealed class NoClass
    {
        [KeyType(10)]
        public uint Digit { get; set; }
    }
}

/// <summary>A digit with a hole, the pixels from 0 to 1.</summary>
/// <param name="Truth">The whole digit.</param>
/// <param name="Mask">1 for each missing pixel.</param>
/// <param name="Best">The digit with the best candidate in the hole.</param>
/// <param name="Mean">The digit with the weighted mean of the candidates in the hole.</param>
internal sealed record Hole(float[] Truth, float[] Mask, float[] Best, float[] Mean)
{
    /// <summary>The digit with black in the hole.</summary>
    public float[] Known => Truth.Select((x, p) => Mask[p] == 0 ? x : 0).ToArray();

    /// <summary>The digit with another image in the hole.</summary>
    public float[] With(IReadOnlyList<float> fill) => Truth.Select((x, p) => Mask[p] == 0 ? x : fill[p]).ToArray();
}

/// <summary>Fills without a network.</summary>
internal sealed class HoleFills(float[][] training)
{
    private const int HarmonicSteps = 800;

    /// <summary>The mean of all training images.</summary>
    public float[] Mean { get; } = Enumerable.Range(0, training[0].Length).Select(p => training.Average(image => image[p])).ToArray();

    /// <summary>The training image whose known pixels are nearest.</summary>
    public float[] Nearest(Hole hole)
    {
        var known = Enumerable.Range(0, hole.Truth.Length).Where(p => hole.Mask[p] == 0).ToArray();
        return hole.With(training.MinBy(image =>
        {
            var sum = 0f;
            foreach (var p in known)
                sum += (image[p] - hole.Truth[p]) * (image[p] - hole.Truth[p]);
            return sum;
        })!);
    }

    /// <summary>Each missing pixel is the mean of its neighbors, those beyond the border like those at it.</summary>
    public float[] Harmonic(Hole hole)
    {
        const int Side = MnistData.Side;
        var image = hole.With(Mean);
        var missing = Enumerable.Range(0, image.Length).Where(p => hole.Mask[p] == 1).ToArray();
        for (var step = 0; step < HarmonicSteps; step++)
        {
            foreach (var p in missing)
            {
                var (y, x) = (p / Side, p % Side);
                image[p] = (image[(Math.Max(y - 1, 0) * Side) + x] + image[(Math.Min(y + 1, Side - 1) * Side) + x] + image[(y * Side) + Math.Max(x - 1, 0)] + image[(y * Side) + Math.Min(x + 1, Side - 1)]) / 4;
            }
        }
        return image;
    }
}
