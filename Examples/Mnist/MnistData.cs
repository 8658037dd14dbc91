using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Mnist;

/// <summary>Reads MNIST: the pixels from 0 (paper) to 1 (ink), the digits as keys.</summary>
internal static class MnistData
{
    public const int Side = 28;
    private const int DigitCount = 10;

    /// <summary>Where the four files are.</summary>
    public static ExternalData Files { get; } = new("MNIST", "data", "DIR", "Folder of MNIST's four IDX files, gzipped or not.", "mnist");

    public static IDataView LoadTraining(MLContext mlContext, string folder) => Load(mlContext, folder, "train");

    public static IDataView LoadTest(MLContext mlContext, string folder) => Load(mlContext, folder, "t10k");

    private static IDataView Load(MLContext mlContext, string folder, string prefix)
    {
        var images = Find(folder, $"{prefix}-images-idx3-ubyte");
        var data = mlContext.Data.LoadFromIdx(images, Find(folder, $"{prefix}-labels-idx1-ubyte"), DigitCount);
        var shape = ((VectorDataViewType)data.Schema["Features"].Type).Dimensions;
        if (shape[1] != Side || shape[2] != Side)
            throw new InvalidDataException($"{images} has images of {shape[1]}x{shape[2]} pixels; MNIST's have {Side}x{Side}.");
        return mlContext.Transforms.Expression("Features", "pixel => pixel / 255f", "Features").Fit(data).Transform(data);
    }

    private static string Find(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        if (File.Exists(path))
            return path;
        if (File.Exists(path + ".gz"))
            return path + ".gz";
        throw new UsageException($"Neither {name} nor {name}.gz is in the folder '{folder}'.");
    }
}
