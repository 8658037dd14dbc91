using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Lstm;

/// <summary>A sequence, as numbers and as text, with a label for each task.</summary>
internal sealed class SequenceRow
{
    /// <summary>A vector of any length.</summary>
    [VectorType]
    public float[] Values { get; set; } = [];

    public string? Text { get; set; } = "";

    public bool Flag { get; set; }

    [KeyType(3)]
    public uint Class { get; set; }

    public float Target { get; set; }

    /// <summary>Random numbers and words, of 1 to so many steps; half of the rows are short.</summary>
    public static SequenceRow[] Random(int count, int maximumLength = 12, int seed = 1)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, count).Select(i => Random(random, 1 + random.Next(i % 2 == 0 ? maximumLength : Math.Min(4, maximumLength)))).ToArray();
    }

    public static SequenceRow Of(params float[] values) => new() { Values = values };

    public static SequenceRow OfText(string? text) => new() { Text = text };

    public static IDataView View(MLContext ml, params IEnumerable<SequenceRow> rows) => ml.Data.LoadFromEnumerable(rows.ToList());

    private static SequenceRow Random(Random random, int length)
    {
        var values = Enumerable.Range(0, length).Select(_ => (random.NextSingle() * 2) - 1).ToArray();
        return new SequenceRow
        {
            Values = values,
            Text = string.Join(' ', values.Select(value => $"w{(int)((value + 1) * 4.999f)}")),
            Flag = values[0] > 0,
            Class = (uint)random.Next(3),
            Target = values.Sum(),
        };
    }
}

/// <summary>What a prediction engine says of a row.</summary>
internal sealed class SequenceScore
{
    public float Score { get; set; }
}
