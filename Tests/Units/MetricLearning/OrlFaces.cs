using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Gray pictures of the ORL collection, stretched to the size of dlib's network.</summary>
internal sealed class OrlFaces
{
    private const int Side = DlibFaceSample.Side;
    private const int Width = 92;
    private const int Height = 112;

    [VectorType(3, Side, Side)]
    public float[] Pixels { get; set; } = [];

    public string Label { get; set; } = "";

    public static IDataView Read(MLContext ml, int first, int last) => ml.Data.LoadFromEnumerable(Enumerable.Range(first, last - first + 1)
        .SelectMany(person => Directory.GetFiles(DataFolder.PathOf(string.Create(CultureInfo.InvariantCulture, $"faces/s{person}")), "*.pgm").Order(StringComparer.Ordinal)
            .Select(file => new OrlFaces { Label = $"s{person}", Pixels = Stretch(File.ReadAllBytes(file).AsSpan()[^(Width * Height)..]) }))
        .ToArray());

    /// <summary>Interpolates between pixels, the centers of the corners' pixels being beyond the outermost ones.</summary>
    private static float[] Stretch(ReadOnlySpan<byte> gray)
    {
        var pixels = new float[3 * Side * Side];
        for (var i = 0; i < Side * Side; i++)
        {
            var (top, down) = Place(i / Side, Height);
            var (left, right) = Place(i % Side, Width);
            var (y, x) = ((int)top, (int)left);
            var above = ((1 - right) * gray[(y * Width) + x]) + (right * gray[(y * Width) + Math.Min(x + 1, Width - 1)]);
            var below = ((1 - right) * gray[(Math.Min(y + 1, Height - 1) * Width) + x]) + (right * gray[(Math.Min(y + 1, Height - 1) * Width) + Math.Min(x + 1, Width - 1)]);
            pixels[i] = pixels[i + (Side * Side)] = pixels[i + (2 * Side * Side)] = ((1 - down) * above) + (down * below);
        }
        return pixels;
    }

    private static (float Pixel, float Share) Place(int position, int size)
    {
        var at = Math.Clamp(((position + 0.5f) * size / Side) - 0.5f, 0, size - 1);
        return (MathF.Floor(at), at - MathF.Floor(at));
    }
}
