using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>A row of the contract's data. The answer is known: it is a function of the means of the thirds of the features.</summary>
internal sealed class Example
{
    public const int ClassCount = 3;
    public static readonly string[] ClassNames = ["red", "green", "blue"];

    private static readonly string[] Texts = ["rxyz", "gxyz", "bxyz"];

    public VBuffer<float> Features { get; set; }

    /// <summary>Whether the first third is larger than the last.</summary>
    public bool Flag { get; set; }

    /// <summary>Which third is the largest, as a key: 0, 1 or 2, and beyond them a missing label.</summary>
    public uint Class { get; set; }

    /// <summary>100 + 20 (first - last) third, far from zero mean and unit variance.</summary>
    public float Target { get; set; }

    public float Weight { get; set; } = 1;

    /// <summary>The first letter is the class; each other follows from the one before it.</summary>
    public string Text { get; set; } = "";

    public static Example[] Create(int rows, int featureCount = 6, int seed = 1)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, rows).Select(_ => Create(random, featureCount)).ToArray();
    }

    public Example Copy() => (Example)MemberwiseClone();

    /// <summary>The same row with other features, the labels unchanged.</summary>
    public Example With(params float[] features)
    {
        var copy = Copy();
        copy.Features = new VBuffer<float>(features.Length, features);
        return copy;
    }

    /// <summary>The rows as data; the class key has names.</summary>
    public static IDataView View(MLContext ml, IEnumerable<Example> rows, int? width = null)
    {
        var list = rows.ToList();
        return ml.Data.LoadFromEnumerable(list, Schema(width ?? list[0].Features.Length));
    }

    /// <param name="width">The number of features; 0 for a vector of unknown size.</param>
    public static SchemaDefinition Schema(int width)
    {
        var schema = SchemaDefinition.Create(typeof(Example));
        schema[nameof(Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, width);
        schema[nameof(Class)].ColumnType = new KeyDataViewType(typeof(uint), ClassCount);
        var names = new VBuffer<ReadOnlyMemory<char>>(ClassCount, ClassNames.Select(name => name.AsMemory()).ToArray());
        schema[nameof(Class)].AddAnnotation("KeyValues", names, new VectorDataViewType(TextDataViewType.Instance, ClassCount));
        return schema;
    }

    /// <summary>Many features average out; this makes the means of the thirds differ as much as those of two features, and features differ little from them.</summary>
    private static void Spread(Random random, float[] features, int third)
    {
        for (var start = 0; start + third <= features.Length; start += third)
        {
            var old = features[start..(start + third)].Average();
            var mean = random.NextSingle() + random.NextSingle() - 1;
            for (var i = start; i < start + third; i++)
                features[i] = mean + ((features[i] - old) * 0.1f);
        }
    }

    private static Example Create(Random random, int featureCount)
    {
        var features = new float[featureCount];
        for (var i = 0; i < featureCount; i++)
            features[i] = (random.NextSingle() * 2) - 1;
        var third = featureCount / 3;
        if (third > 2)
            Spread(random, features, third);
        var means = new[] { features[..third].Average(), features[third..(2 * third)].Average(), features[(2 * third)..].Average() };
        return new Example
        {
            Features = new VBuffer<float>(featureCount, features),
            Flag = means[0] > means[2],
            Class = (uint)Array.IndexOf(means, means.Max()),
            Target = 100 + (20 * (means[0] - means[2])),
            Text = Texts[Array.IndexOf(means, means.Max())],
        };
    }
}
