using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Images;

/// <summary>A row with two images: one of 2 x 3 pixels to compute with, one of any size beside it.</summary>
internal sealed class Picture
{
    public const int Height = 2;
    public const int Width = 3;
    public const int Values = 3 * Height * Width;

    public float Number { get; set; }

    [ImageType(Height, Width)]
    public MLImage? Image { get; set; }

    [ImageType(4, 4)] // ML.NET has no attribute for any size that works, and doesn't check
    public MLImage? Other { get; set; }

    /// <summary>The image whose pixel p of picture n is (n + p, 2n + p, 100 + n + p), modulo 256.</summary>
    public static MLImage Create(int number, MLPixelFormat format = MLPixelFormat.Bgra32) => TestImages.Create(Width, Height, (row, column) =>
    {
        var p = (row * Width) + column;
        return ((byte)(number + p), (byte)((2 * number) + p), (byte)(100 + number + p));
    }, format);

    /// <summary>What <see cref="Create"/>'s image is as features.</summary>
    public static float[] FeaturesOf(int number)
    {
        var pixels = Enumerable.Range(0, Height * Width).ToArray();
        return
        [
            .. pixels.Select(p => (float)(byte)(number + p)),
            .. pixels.Select(p => (float)(byte)((2 * number) + p)),
            .. pixels.Select(p => (float)(byte)(100 + number + p)),
        ];
    }

    /// <summary>A view that makes its images anew for each row, as loaders do.</summary>
    public static IDataView View(MLContext ml, int count) =>
        ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Picture { Number = i, Image = Create(i), Other = TestImages.Solid(1 + (i % 5), 4, (byte)i, 2, 3) }));
}
