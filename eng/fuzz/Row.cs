using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Fuzz;

/// <summary>A row of the made-up data that every family reads a column of.</summary>
internal sealed class Row
{
    public const int Side = 6;
    public const int SequenceLength = 6;

    private static readonly string[] Words = ["red", "green", "blue", "and", "or", "not", "far", "near"];

    [VectorType(Side * Side)]
    public float[] Features { get; set; } = [];

    [VectorType(SequenceLength)]
    public float[] Sequence { get; set; } = [];

    public bool Flag { get; set; }

    public string Class { get; set; } = "";

    public float Target { get; set; }

    public float Weight { get; set; }

    public string Text { get; set; } = "";

    /// <summary>Values in [0, 1]; the labels follow from them.</summary>
    public static IDataView Create(MLContext ml, Random random, int count)
    {
        var rows = Enumerable.Range(0, count).Select(i =>
        {
            var features = Enumerable.Range(0, Side * Side).Select(_ => random.NextSingle()).ToArray();
            return new Row
            {
                Features = features,
                Sequence = features[..SequenceLength],
                Flag = features[0] > features[1],
                Class = Words[(i + (features[0] > features[1] ? 1 : 0)) % 3],
                Target = features[0] - features[1] + MathF.Sin(i),
                Weight = 0.5f + random.NextSingle(),
                Text = string.Join(' ', Enumerable.Range(0, 1 + random.Next(9)).Select(_ => Words[random.Next(Words.Length)])),
            };
        }).ToList();
        var data = ml.Data.LoadFromEnumerable(rows);
        return ml.Transforms.Conversion.MapValueToKey("Label", nameof(Class)).Fit(data).Transform(data);
    }
}
