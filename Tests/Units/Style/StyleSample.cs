using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Style;

/// <summary>A row with a picture.</summary>
internal sealed class PictureSample
{
    [ImageType(Height, Width)]
    public MLImage? Image { get; set; }

    [ImageType(Height, Width)]
    public MLImage? Mask { get; set; }

    public const int Height = 24;
    public const int Width = 32;
}

/// <summary>Small pictures and a small loss network with random weights.</summary>
internal sealed class StyleSample : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public StyleSample(int seed = 5)
    {
        WeightsPath = _folder.File("weights.safetensors");
        LossNetworkSample.Write(WeightsPath, TestSeed.Of(seed));
    }

    public static CnnArchitecture Network => LossNetworkSample.Network;

    public string WeightsPath { get; }

    public static MLImage Scene() => TestImages.Create(PictureSample.Width, PictureSample.Height, (y, x) => ((byte)(8 * x), (byte)(y < 12 ? 200 : 60), (byte)(10 * y)));

    public static MLImage Stripes() => TestImages.Create(40, 28, (y, x) => (x + y) % 8 < 4 ? ((byte)230, (byte)40, (byte)30) : ((byte)20, (byte)60, (byte)220));

    public StyleTransferEstimator.Options Options(Action<StyleTransferEstimator.Options>? change = null)
    {
        var options = new StyleTransferEstimator.Options
        {
            WeightsPath = WeightsPath,
            Architecture = Network,
            StyleImages = [Stripes()],
            ContentLayers = ["relu2_2"],
            StyleLayers = ["relu1_1", "relu2_1", "relu2_2"],
            BorderPadding = 2,
            Iterations = 30,
            Seed = 1,
        };
        change?.Invoke(options);
        return options;
    }

    public static IDataView View(MLContext ml, params MLImage?[] pictures) => ml.Data.LoadFromEnumerable(pictures.Select(picture => new PictureSample { Image = picture }));

    /// <summary>The finished pictures.</summary>
    public static MLImage[] Paint(MLContext ml, StyleTransferEstimator.Options options, params MLImage?[] pictures)
    {
        var data = View(ml, pictures);
        using var transformer = ml.Transforms.StyleTransfer(options).Fit(data);
        return Read(transformer.Transform(data), options.OutputColumnName);
    }

    /// <summary>The pictures of a column; the cursor disposes what it is given back, so each is new.</summary>
    public static MLImage[] Read(IDataView data, string column)
    {
        var pictures = new List<MLImage>();
        using var cursor = data.GetRowCursor([data.Schema[column]]);
        var getter = cursor.GetGetter<MLImage>(data.Schema[column]);
        while (cursor.MoveNext())
        {
            MLImage? picture = null;
            getter(ref picture!);
            pictures.Add(picture);
        }
        return [.. pictures];
    }

    /// <summary>The largest difference of two pictures' values, alpha included.</summary>
    public static int Distance(MLImage a, MLImage b) => Bytes(a).Zip(Bytes(b)).Max(pair => Math.Abs(pair.First - pair.Second));

    /// <summary>The values of a picture: red, green, blue, alpha.</summary>
    public static byte[] Bytes(MLImage picture)
    {
        var bytes = picture.Pixels.ToArray();
        if (picture.PixelFormat == MLPixelFormat.Bgra32)
        {
            for (var i = 0; i < bytes.Length; i += 4)
                (bytes[i], bytes[i + 2]) = (bytes[i + 2], bytes[i]);
        }
        return bytes;
    }

    public void Dispose() => _folder.Dispose();
}
