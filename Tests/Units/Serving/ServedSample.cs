using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Serving;

/// <summary>Tiny saved models, and rows for them.</summary>
internal static class ServedSample
{
    private static readonly MLContext Ml = new(1);
    private static readonly Lazy<byte[]> First = new(() => Train(1));
    private static readonly Lazy<byte[]> Second = new(() => Train(2));

    /// <summary>Writes the model, or another one of the same form.</summary>
    public static void Write(string path, bool other = false)
    {
        File.WriteAllBytes(path + ".new", (other ? Second : First).Value);
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>What the model says of a row.</summary>
    public static float[] Scores(float a, float b, bool other = false)
    {
        using var file = new MemoryStream((other ? Second : First).Value);
        var model = Ml.Model.Load(file, out _);
        return model.Transform(Ml.Data.LoadFromEnumerable([new LabeledPoint { Features = [a, b], Label = "even" }])).GetColumn<float[]>("Score").Single();
    }

    /// <summary>A column for <see cref="BatchedPredictor.PredictColumnsAsync(IReadOnlyList{ColumnData}, int, CancellationToken)"/>.</summary>
    public static ColumnData[] Columns(params float[] values) => [ColumnData.Of("Features", values)];

    private static byte[] Train(int seed)
    {
        var random = new Random(seed);
        var rows = Enumerable.Range(0, 20).Select(i => new LabeledPoint { Features = [i % 2, random.NextSingle()], Label = i % 2 == 0 ? "even" : "odd" }).ToArray();
        var data = Ml.Data.LoadFromEnumerable(rows);
        using var model = Ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(Ml.Transforms.NormalizeMinMax("Features"))
            .Append(Ml.MulticlassClassification.Trainers.Mlp(new MlpMulticlassTrainer.Options { HiddenLayers = [4], Epochs = 2, Seed = seed }))
            .Append(Ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(data);
        using var file = new MemoryStream();
        Ml.Model.Save(model, data.Schema, file);
        return file.ToArray();
    }
}

internal sealed class LabeledPoint
{
    [VectorType(2)]
    public float[] Features { get; set; } = [];

    public string Label { get; set; } = "";
}

internal sealed class Point
{
    public float[] Features { get; set; } = [];
}

internal sealed class PointAnswer
{
    public string PredictedLabel { get; set; } = "";

    public float[] Score { get; set; } = [];
}
