using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Benchmarks;

/// <summary>An image folder through LoadFromImageFolder, ResizeImages, ExtractPixels and training: how much of the time the network has.</summary>
internal sealed class ImageFolderTraining : IBenchmark
{
    private const int ImagesPerClass = 32;
    private const int Classes = 2;
    private const int FileSide = 300;
    private const int Side = 224;

    public string Name => "image-folder";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var folder = Directory.CreateTempSubdirectory("mlextensions-images-").FullName;
        try
        {
            WriteImages(folder);
            foreach (var buffering in Enum.GetValues<Buffering>())
                yield return Measure(settings, folder, buffering);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The time of the same epoch on data that is ready, as a share of the time of all of Fit.</summary>
    private static ResultRow Measure(BenchmarkSettings settings, string folder, Buffering buffering)
    {
        var ml = new MLContext(1);
        var images = ml.Data.LoadFromImageFolder(folder);
        var pipeline = ml.Transforms.ResizeImages("Image", Side, Side).Append(ml.Transforms.ExtractPixels("Features", "Image"));
        var trainer = ml.MulticlassClassification.Trainers.Cnn(new CnnMulticlassTrainer.Options
        {
            Layers = CnnLayers.SqueezeNet(),
            PixelScaling = PixelScaling.ImageNet,
            BatchSize = 16,
            Epochs = 2,
            LearningRate = 1e-4,
            Buffering = buffering,
        });
        var ready = ml.Data.Cache(pipeline.Fit(images).Transform(images), "Features", "Label");
        var samples = Timing.Measure(
            settings.Rounds,
            Contender.Of("whole Fit", () => pipeline.Append(trainer).Fit(images).LastTransformer.Dispose()),
            new Contender("epochs on cached pixels", () => EpochSeconds(trainer, ready)));
        var share = samples[1].Median / samples[0].Median;
        var missed = share < 0.8 ? " MISSED" : "";
        var details = FormattableString.Invariant($"{samples[0].Median:F1} s of Fit, {samples[1].Median:F1} s in the epochs of the same data in memory; {Classes * ImagesPerClass} JPEG files of {FileSide} x {FileSide}, SqueezeNet at {Side}, 2 epochs");
        return new ResultRow($"share of the time of an image folder's Fit that the network has, {buffering}", ">= 80 %", $"{share:P0}{missed}", details);
    }

    private static double EpochSeconds(IEstimator<MulticlassNetworkTransformer> trainer, IDataView data)
    {
        using var model = trainer.Fit(data);
        return model.History.Epochs.Sum(epoch => epoch.Seconds);
    }

    private static void WriteImages(string folder)
    {
        var random = new Random(1);
        for (var i = 0; i < Classes * ImagesPerClass; i++)
        {
            var name = Path.Combine(folder, $"class{i % Classes}");
            Directory.CreateDirectory(name);
            using var image = MLImage.CreateFromPixels(FileSide, FileSide, MLPixelFormat.Bgra32, Photo(random));
            image.Save(Path.Combine(name, $"{i:000}.jpg"));
        }
    }

    /// <summary>Smooth colors with some noise: about as many bytes as a photo.</summary>
    private static byte[] Photo(Random random)
    {
        var pixels = new byte[FileSide * FileSide * 4];
        var (a, b) = (random.Next(20, 60), random.Next(20, 60));
        for (var p = 0; p < FileSide * FileSide; p++)
        {
            var shade = (int)(127 + (60 * Math.Sin(p % FileSide / (double)a)) + (60 * Math.Cos(p / FileSide / (double)b)));
            pixels[(4 * p) + 0] = (byte)Math.Clamp(shade + random.Next(16), 0, 255);
            pixels[(4 * p) + 1] = (byte)Math.Clamp(shade + random.Next(16), 0, 255);
            pixels[(4 * p) + 2] = (byte)Math.Clamp(255 - shade + random.Next(16), 0, 255);
            pixels[(4 * p) + 3] = 255;
        }
        return pixels;
    }
}
