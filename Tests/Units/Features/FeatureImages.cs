using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Features;

/// <summary>The rows of <see cref="FeatureSample"/> as images.</summary>
internal sealed class FeatureImages(FeatureSample[] rows) : IDisposable
{
    public FeatureImage[] Rows { get; } = Array.ConvertAll(rows, row => new FeatureImage { Image = ToImage(row) });

    public IDataView View(MLContext ml) => ml.Data.LoadFromEnumerable(rows.Select(row => new FeatureImage { Image = ToImage(row) }));

    public void Dispose() => Array.ForEach(Rows, row => row.Image!.Dispose());

    private static MLImage ToImage(FeatureSample row) => TestImages.Create(FeatureSample.Side, FeatureSample.Side, (y, x) =>
    {
        byte Of(int channel) => (byte)row.Image[(((channel * FeatureSample.Side) + y) * FeatureSample.Side) + x];
        return (Of(0), Of(1), Of(2));
    });
}

/// <summary>A row with an image.</summary>
internal sealed class FeatureImage
{
    [ImageType(FeatureSample.Side, FeatureSample.Side)]
    public MLImage? Image { get; set; }
}
