using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Examples.Mnist;

/// <summary>A row of MNIST.</summary>
internal sealed class MnistImage
{
    public const int Side = 28;
    public const int PixelCount = Side * Side;

    public uint Label { get; set; }

    /// <summary>The pixels, row by row, from 0 (paper) to 1 (ink).</summary>
    [VectorType(PixelCount)]
    public float[] Features { get; set; } = [];
}

/// <summary>Reads MNIST.</summary>
internal static class MnistData
{
    private const float White = 255;

    public static IDataView LoadTraining(MLContext mlContext, string folder) => Load(mlContext, folder, "train");

    public static IDataView LoadTest(MLContext mlContext, string folder) => Load(mlContext, folder, "t10k");

    /// <summary>Keeps the bytes of the file; floats are made row by row, each time the data is read.</summary>
    private static IDataView Load(MLContext mlContext, string folder, string prefix)
    {
        var images = IdxFile.Read(folder, $"{prefix}-images-idx3-ubyte", dimensionCount: 3);
        var labels = IdxFile.Read(folder, $"{prefix}-labels-idx1-ubyte", dimensionCount: 1);
        if (images.Dimensions[1] != MnistImage.Side || images.Dimensions[2] != MnistImage.Side)
            throw new InvalidDataException($"{prefix}-images-idx3-ubyte has images of {images.Dimensions[1]}x{images.Dimensions[2]} pixels; MNIST's have {MnistImage.Side}x{MnistImage.Side}.");
        if (images.Dimensions[0] != labels.Dimensions[0])
            throw new InvalidDataException($"{prefix}-images-idx3-ubyte has {images.Dimensions[0]:N0} images, {prefix}-labels-idx1-ubyte {labels.Dimensions[0]:N0} labels.");
        return mlContext.Data.LoadFromEnumerable(Rows(images, labels));
    }

    private static IEnumerable<MnistImage> Rows(IdxFile images, IdxFile labels)
    {
        for (var i = 0; i < labels.Values.Length; i++)
        {
            var pixels = images.Values.AsSpan(i * MnistImage.PixelCount, MnistImage.PixelCount);
            var features = new float[MnistImage.PixelCount];
            for (var p = 0; p < features.Length; p++)
                features[p] = pixels[p] / White;
            yield return new MnistImage { Label = labels.Values[i], Features = features };
        }
    }
}
