using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>Style transfer by optimization against a hand-written loop: the time of a step, and the loss after the same number of steps.</summary>
internal sealed class StyleOptimization : IBenchmark
{
    private const int ShorterSide = 192;
    private const int Iterations = 200;
    private const int TimedIterations = 30;
    private const double StyleWeight = 10;
    private const double VariationWeight = 1;

    public string Name => "style";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var folder = Environment.GetEnvironmentVariable("MLEXTENSIONS_DATA");
        var weights = Path.Combine(folder ?? "", "pretrained", "squeezenet1_0.safetensors");
        if (!File.Exists(weights))
        {
            yield return new ResultRow("style transfer against a hand-written loop", ">= 1.0x", "not measured", "MLEXTENSIONS_DATA names no folder with pretrained/squeezenet1_0.safetensors and style/");
            yield break;
        }
        using var content = Load(Path.Combine(folder!, "style", "china.jpg"), ShorterSide);
        using var style = Load(Path.Combine(folder!, "style", "style_starry_night_crop.jpg"), ShorterSide);
        set_num_threads(1);
        using var contentTensor = ToTensor(content);
        using var styleTensor = ToTensor(style);
        using var theirs = new HandWrittenStyle(weights, contentTensor, styleTensor, StyleWeight, VariationWeight);
        foreach (var lbfgs in new[] { false, true })
        {
            var name = lbfgs ? "L-BFGS" : "Adam";
            var times = Timing.Compare(
                settings.Rounds,
                Contender.Of("StyleTransfer", () => Paint(weights, content, style, TimedIterations, lbfgs).Dispose()),
                Contender.Of("hand-written loop", () => theirs.Paint(TimedIterations, lbfgs).Dispose()));
            yield return Bound.Row(FormattableString.Invariant($"style transfer, {name}, {ShorterSide} pixels, 1 thread"), 1, times, "steps", TimedIterations);
            using var ours = Paint(weights, content, style, Iterations, lbfgs);
            using var ourPicture = ToTensor(ours);
            using var theirPicture = theirs.Paint(Iterations, lbfgs);
            var (our, their, start) = (theirs.LossOf(ourPicture), theirs.LossOf(theirPicture), theirs.LossOf(contentTensor));
            yield return Bound.AtMost(
                FormattableString.Invariant($"loss after {Iterations} steps of {name} over that of the hand-written loop"), 1.01, our / their, "0.000", FormattableString.Invariant($"StyleTransfer {our:0.0000} (8-bit picture), loop {their:0.0000}, content picture {start:0.0000}: {our / start:0.0000}"));
        }
    }

    /// <summary>Loads a picture whose shorter side gets a number of pixels.</summary>
    public static MLImage Load(string path, int shorterSide)
    {
        using var picture = SKBitmap.Decode(path);
        var scale = (double)shorterSide / Math.Min(picture.Width, picture.Height);
        using var resized = picture.Resize(new SKImageInfo((int)Math.Round(picture.Width * scale), (int)Math.Round(picture.Height * scale), SKColorType.Rgba8888, SKAlphaType.Opaque), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        return MLImage.CreateFromPixels(resized.Width, resized.Height, MLPixelFormat.Rgba32, resized.GetPixelSpan());
    }

    private static MLImage Paint(string weights, MLImage content, MLImage style, int iterations, bool lbfgs)
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable([new Row { Image = content }]);
        using var transformer = ml.Transforms.StyleTransfer(new StyleTransferEstimator.Options
        {
            StyleImages = [style],
            WeightsPath = weights,
            StyleWeight = StyleWeight,
            TotalVariationWeight = VariationWeight,
            BorderPadding = 0,
            Iterations = iterations,
            Optimizer = lbfgs ? new LbfgsOptimizer() : new AdamOptimizer(),
            ThreadCount = 1,
        }).Fit(data);
        return transformer.Transform(data).GetColumn<MLImage>("Styled").Single();
    }

    private static Tensor ToTensor(MLImage picture)
    {
        var bytes = picture.Pixels.ToArray();
        var count = picture.Width * picture.Height;
        var values = new float[3 * count];
        for (var i = 0; i < values.Length; i++)
            values[i] = bytes[(i % count * 4) + (i / count)] / 255f;
        return tensor(values, [1, 3, picture.Height, picture.Width]);
    }

    private sealed class Row
    {
        [Microsoft.ML.Transforms.Image.ImageType(1, 1)]
        public MLImage? Image { get; set; }
    }
}
