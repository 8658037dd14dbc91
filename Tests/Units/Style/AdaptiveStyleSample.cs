using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Style;

/// <summary>Pairs of small pictures, and what trains and paints with them.</summary>
internal static class AdaptiveStyleSample
{
    public static AdaptiveStyleTransferEstimator.Options Options(StyleSample sample, Action<AdaptiveStyleTransferEstimator.Options>? change = null)
    {
        var options = new AdaptiveStyleTransferEstimator.Options
        {
            WeightsPath = sample.WeightsPath,
            Architecture = StyleSample.Network,
            EncoderLayer = "relu2_2",
            StyleLayers = ["relu1_1", "relu2_1", "relu2_2"],
            Seed = TestSeed.Of(1),
            ThreadCount = 1,
        };
        change?.Invoke(options);
        return options;
    }

    public static AdaptiveStyleTransferTransformer Fit(StyleSample sample, Action<AdaptiveStyleTransferEstimator.Options>? change = null) =>
        new MLContext(1).Transforms.AdaptiveStyleTransfer(Options(sample, change)).Fit(TrainingView());

    public static MLImage Paint(AdaptiveStyleTransferTransformer transformer, MLImage? content, MLImage? style) => Paint(transformer, new AnyPair { Image = content, Style = style })[0];

    public static MLImage[] Paint(AdaptiveStyleTransferTransformer transformer, params AnyPair[] pairs) => StyleSample.Read(transformer.Transform(View(pairs)), "Styled");

    public static IDataView View(params AnyPair[] pairs) => new MLContext(1).Data.LoadFromEnumerable(pairs);

    public static IDataView ViewOfUnknownSize()
    {
        var schema = SchemaDefinition.Create(typeof(AnyPair));
        schema[nameof(AnyPair.Image)].ColumnType = new ImageDataViewType();
        return new MLContext(1).Data.LoadFromEnumerable([new AnyPair()], schema);
    }

    /// <summary>Eight scenes and eight patterns.</summary>
    public static IDataView TrainingView() => new MLContext(1).Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new TrainingPair
    {
        Image = TestImages.Create(PictureSample.Width, PictureSample.Height, (y, x) => ((byte)(8 * x), (byte)(y < 8 + i ? 200 : 60), (byte)((10 * y) + (3 * i)))),
        Style = TestImages.Create(TrainingPair.StyleWidth, TrainingPair.StyleHeight, (y, x) => ((i % 2 * y) + x) % (4 + i) < 2 + (i / 2) ? ((byte)(230 - (20 * i)), (byte)40, (byte)(30 * i)) : ((byte)20, (byte)(60 + (20 * i)), (byte)220)),
    }));

    public static void AssertSameWeights(AdaptiveStyleTransferTransformer a, AdaptiveStyleTransferTransformer b)
    {
        foreach (var name in a.Decoder.WeightShapes.Keys)
            Outcome.AssertSameBits(a.Decoder.GetWeights(name), b.Decoder.GetWeights(name));
    }
}

internal sealed class TrainingPair
{
    public const int StyleHeight = 28;
    public const int StyleWidth = 20;

    [ImageType(PictureSample.Height, PictureSample.Width)]
    public MLImage? Image { get; set; }

    [ImageType(StyleHeight, StyleWidth)]
    public MLImage? Style { get; set; }

    public float Share { get; set; } = 1;
}

/// <summary>Pictures of other sizes than the column says.</summary>
internal sealed class AnyPair
{
    [ImageType(1, 1)]
    public MLImage? Image { get; set; }

    [ImageType(1, 1)]
    public MLImage? Style { get; set; }

    public float Share { get; set; } = 1;

    public string Text { get; set; } = "";
}
