using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Serving.Pad;

/// <summary>Models for the handwriting pad.</summary>
internal static class PadModels
{
    private const int Side = 28;

    /// <summary>A network that was trained on MNIST.</summary>
    public static void WriteClassifier(string path) => File.Copy(Path.Combine(AppContext.BaseDirectory, "Pad", "mnist.zip"), path);

    /// <summary>A generator that has learned hardly anything: its images depend on noise and class, more is not asked of it.</summary>
    public static void WriteGenerator(string path)
    {
        var ml = new MLContext(1);
        var random = new Random(1);
        var rows = Enumerable.Range(0, 40).Select(i => new Digit { Label = (uint)i % 10, Image = [.. Enumerable.Range(0, Side * Side).Select(pixel => pixel % 10 == i % 10 ? 1 : random.NextSingle() * 0.1f)] });
        var raw = ml.Data.LoadFromEnumerable(rows);
        var data = ml.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(raw).Transform(raw);
        using var gan = ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options
        {
            FeatureColumnName = "Image",
            LabelColumnName = "Label",
            NoiseColumnName = "Noise",
            ImageShape = new ImageShape(1, Side, Side),
            Epochs = 1,
            Seed = 1,
        }).Fit(data);
        var schema = new DataViewSchema.Builder();
        schema.AddColumn("Label", data.Schema["Label"].Type, data.Schema["Label"].Annotations);
        schema.AddColumn("Noise", new VectorDataViewType(NumberDataViewType.Single, gan.Architecture.LatentSize));
        ml.Model.Save(gan, schema.ToSchema(), path);
    }

    private sealed class Digit
    {
        public uint Label { get; set; }

        [VectorType(Side * Side)]
        public float[] Image { get; set; } = [];
    }
}
