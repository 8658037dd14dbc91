using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MLExtensions.Benchmarks;

/// <summary>A network that paints in one pass against 200 steps of optimization, at 512 x 512 pixels. What the network has learned does not matter here.</summary>
internal sealed class FeedForwardStyle : IBenchmark
{
    private const int Side = 512;
    private const int TrainingSide = 64;
    private const int Iterations = 200;
    private const int FewIterations = 1;
    private const int MoreIterations = 6;

    public string Name => "fast-style";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var folder = Environment.GetEnvironmentVariable("MLEXTENSIONS_DATA");
        var weights = Path.Combine(folder ?? "", "pretrained", "squeezenet1_0.safetensors");
        if (!File.Exists(weights))
        {
            yield return new ResultRow("a network that paints against optimization", ">= 300x", "not measured", "MLEXTENSIONS_DATA names no folder with pretrained/squeezenet1_0.safetensors and style/");
            yield break;
        }
        using var content = Square(Path.Combine(folder!, "style", "china.jpg"), Side);
        using var small = Square(Path.Combine(folder!, "style", "china.jpg"), TrainingSide);
        using var style = Square(Path.Combine(folder!, "style", "style_starry_night_crop.jpg"), Side);
        foreach (var (width, blocks) in new[] { (16, 3), (32, 5) })
        {
            using var model = Train(weights, small, style, width, blocks);
            var ml = new MLContext(1);
            var data = ml.Data.LoadFromEnumerable([new Row { Image = content }]);
            var times = Timing.Compare(
                settings.Rounds,
                Contender.Of("FastStyleTransfer", () => model.Transform(data).GetColumn<MLImage>("Styled").Single().Dispose()),
                new Contender("StyleTransfer", () => (Optimize(weights, content, style, MoreIterations) - Optimize(weights, content, style, FewIterations)) * Iterations / (MoreIterations - FewIterations)));
            yield return Bound.Row(FormattableString.Invariant($"one pass of a network of width {width}, {blocks} blocks, against {Iterations} steps of optimization, {Side} x {Side} pixels, 1 thread"), 300, times, "pictures", 1);
        }
    }

    private static double Optimize(string weights, MLImage content, MLImage style, int iterations)
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable([new Row { Image = content }]);
        using var transformer = ml.Transforms.StyleTransfer(new StyleTransferEstimator.Options { StyleImages = [style], WeightsPath = weights, Iterations = iterations, ThreadCount = 1 }).Fit(data);
        return Timing.Seconds(() => transformer.Transform(data).GetColumn<MLImage>("Styled").Single().Dispose());
    }

    private static FastStyleTransferTransformer Train(string weights, MLImage content, MLImage style, int width, int blocks)
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable([new SmallRow { Image = content }, new SmallRow { Image = content }]);
        return ml.Transforms.FastStyleTransfer(new FastStyleTransferEstimator.Options
        {
            InputColumnName = "Image",
            OutputColumnName = "Styled",
            StyleImages = [style],
            WeightsPath = weights,
            Width = width,
            ResidualBlocks = blocks,
            CropSize = TrainingSide,
            BatchSize = 2,
            Epochs = 1,
            ThreadCount = 1,
        }).Fit(data);
    }

    /// <summary>The upper left square of a picture.</summary>
    private static MLImage Square(string path, int side)
    {
        using var picture = StyleOptimization.Load(path, side);
        using var bitmap = new SKBitmap(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        picture.Pixels.CopyTo(bitmap.GetPixelSpan());
        using var square = new SKBitmap(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque);
        bitmap.ExtractSubset(square, new SKRectI(0, 0, side, side));
        using var copy = square.Copy();
        return MLImage.CreateFromPixels(side, side, MLPixelFormat.Rgba32, copy.GetPixelSpan());
    }

    private sealed class Row
    {
        [Microsoft.ML.Transforms.Image.ImageType(Side, Side)]
        public MLImage? Image { get; set; }
    }

    private sealed class SmallRow
    {
        [Microsoft.ML.Transforms.Image.ImageType(TrainingSide, TrainingSide)]
        public MLImage? Image { get; set; }
    }
}
