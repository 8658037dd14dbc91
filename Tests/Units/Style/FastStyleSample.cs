using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Style;

/// <summary>A row with a picture, of any size whatever its column says, and the style that it is to have.</summary>
internal sealed class StyledSample
{
    [ImageType(1, 1)]
    public MLImage? Image { get; set; }

    public string Style { get; set; } = "";

    [VectorType(2)]
    public float[] Shares { get; set; } = [1, 0];
}

/// <summary>Small content pictures, and options of a small network that learns a style from them quickly.</summary>
internal sealed class FastStyleSample : IDisposable
{
    private readonly StyleSample _loss = new();

    /// <summary>Pictures of 24 x 32 pixels, each with colors of its own.</summary>
    public static IDataView Contents(MLContext ml, int count = 8, int first = 0) =>
        StyleSample.View(ml, Enumerable.Range(first, count).Select(Content).ToArray());

    public static MLImage Content(int number) => TestImages.Create(PictureSample.Width, PictureSample.Height, (y, x) =>
        ((byte)((8 * x) + (31 * number)), (byte)(y < 6 + (2 * number) ? 200 - (9 * number) : 60), (byte)((10 * y) ^ (16 * number))));

    public static MLImage Dots() => TestImages.Create(36, 30, (y, x) => (x % 6) + (y % 6) < 5 ? ((byte)240, (byte)230, (byte)60) : ((byte)10, (byte)120, (byte)40));

    public FastStyleTransferEstimator.Options Options(Action<FastStyleTransferEstimator.Options>? change = null)
    {
        var options = new FastStyleTransferEstimator.Options
        {
            WeightsPath = _loss.WeightsPath,
            Architecture = StyleSample.Network,
            StyleImages = [StyleSample.Stripes()],
            ContentLayers = ["relu2_2"],
            StyleLayers = ["relu1_1", "relu2_1", "relu2_2"],
            Width = 4,
            ResidualBlocks = 1,
            Epochs = 2,
            BatchSize = 4,
            LearningRate = 2e-3,
            Seed = TestSeed.Of(1),
            ThreadCount = 1,
        };
        change?.Invoke(options);
        return options;
    }

    /// <summary>Options of two styles, stripes and dots.</summary>
    public FastStyleTransferEstimator.Options TwoStyles(Action<FastStyleTransferEstimator.Options>? change = null) => Options(o =>
    {
        (o.StyleImages, o.StyleNames) = ([StyleSample.Stripes(), Dots()], ["stripes", "dots"]);
        change?.Invoke(o);
    });

    /// <summary>What a model makes of pictures of any size.</summary>
    public static MLImage[] Paint(MLContext ml, ITransformer model, params StyledSample[] rows) => StyleSample.Read(model.Transform(ml.Data.LoadFromEnumerable(rows)), "Styled");

    /// <inheritdoc cref="Paint(MLContext, ITransformer, StyledSample[])"/>
    public static MLImage Paint(MLContext ml, ITransformer model, MLImage picture) => Paint(ml, model, new StyledSample { Image = picture })[0];

    public void Dispose() => _loss.Dispose();
}
