using System.Globalization;
using MLExtensions.Engine;
using MLExtensions.Persistence;
using MLExtensions.Plotting;
using MLExtensions.Tensors;
using MLExtensions.Training;
using ScottPlot;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Gan;

/// <summary>Pictures of generated samples, always of the same noise: images as tiles, pairs of numbers as points.</summary>
internal sealed class SamplePicture : IDisposable
{
    private const int Tiles = 64;
    private const int Rows = 8;
    private const int MostColumns = 20;
    private const int Points = 1000;
    private const int PlotSize = 500;

    private readonly GeneratorArchitecture _generator;
    private readonly GanOptions _options;
    private readonly Tensor? _input;

    public SamplePicture(GeneratorArchitecture generator, GanOptions options)
    {
        (_generator, _options) = (generator, options);
        if (!CanDraw(generator) || (options.SamplesFolder == null && options.TensorBoardFolder == null))
            return;
        using var scope = NewDisposeScope();
        var count = !IsImage ? Points : Columns is { } columns ? Rows * columns : Tiles;
        var noise = SampleSpread.NoiseFor(generator, count);
        var labels = generator.ClassCount == 0
            ? null
            : nn.functional.one_hot(arange(Number.Zero, Number.Of((long)count), Number.One, dtype: ScalarType.Int64, device: CPU).remainder(Number.Of((long)generator.ClassCount)), generator.ClassCount).to(ScalarType.Float32);
        _input = SampleSpread.Join(noise, labels).DetachFromDisposeScope();
    }

    /// <summary>Whether samples are images of gray or color, or pairs of numbers.</summary>
    public static bool CanDraw(GeneratorArchitecture generator) => IsImageOf(generator) || (generator.Image == null && generator.OutputCount == 2);

    private bool IsImage => IsImageOf(_generator);

    private static bool IsImageOf(GeneratorArchitecture generator) => generator is { Image.Channels: 1 or 3, Values: not null };

    /// <summary>A column for each class, if there are not too many.</summary>
    private int? Columns => _generator.ClassCount is > 1 and <= MostColumns ? _generator.ClassCount : null;

    /// <summary>Whether a picture of an epoch is wanted.</summary>
    public bool IsWanted(int epoch) => _input is not null && (epoch % _options.SampleInterval == 0 || epoch == _options.Epochs);

    /// <summary>Draws the samples, and saves the picture if there is a folder.</summary>
    public StepPicture Draw(TrainedNetwork generator, int epoch)
    {
        var outputs = generator.Forward(_input!.to(generator.Device)).cpu().contiguous();
        var samples = TensorMemory.Floats(outputs).ToArray().Chunk(_generator.OutputCount).ToArray();
        var picture = IsImage ? DrawTiles(samples) : DrawPoints(samples);
        if (_options.SamplesFolder is { } folder)
            Save(folder, picture.Png, epoch);
        return picture;
    }

    public void Dispose() => _input?.Dispose();

    private static StepPicture DrawPoints(float[][] samples)
    {
        var plot = Picture.NewPlot("generated samples", "first value", "second value");
        var points = plot.Add.ScatterPoints(samples.Select(sample => (double)sample[0]).ToArray(), samples.Select(sample => (double)sample[1]).ToArray());
        points.Color = Picture.Training.WithAlpha(.4);
        return new StepPicture("samples", plot.GetImage(PlotSize, PlotSize).GetImageBytes(ImageFormat.Png), PlotSize, PlotSize);
    }

    private StepPicture DrawTiles(float[][] samples)
    {
        var image = _generator.Image!;
        var (png, width, height) = TilePicture.Encode(samples.Length, image.Width, image.Height, Columns, SamplePlot.Colors(image, _generator.OutputRange!, samples));
        return new StepPicture("samples", png, width, height);
    }

    private static void Save(string folder, byte[] png, int epoch)
    {
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"samples-{epoch:0000}.png"));
        try
        {
            AtomicFile.Write(path, stream => stream.Write(png));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OutputFolders.NotWritable(nameof(GanOptions.SamplesFolder), folder, e);
        }
    }
}
