using MLExtensions.Tests;

namespace MLExtensions.Snippets;

/// <summary>Small tables.</summary>
internal static class Tables
{
    private static MLContext Ml => SnippetContext.ml;

    /// <summary>Rows as a data view, whose vectors have the sizes that are given.</summary>
    public static IDataView View<T>(IEnumerable<T> rows, params (string Column, int[] Dimensions)[] vectors)
        where T : class
    {
        var schema = SchemaDefinition.Create(typeof(T));
        foreach (var (column, dimensions) in vectors)
            schema[column].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimensions);
        return Ml.Data.LoadFromEnumerable(rows.ToList(), schema);
    }

    /// <summary>Rows with features in [0, 1], which depend on the label that <paramref name="label"/> gives the row.</summary>
    public static IDataView Labeled<TLabel>(int count, int width, Func<int, TLabel> label, int seed = 1) => Labeled(count, [width], label, seed);

    /// <inheritdoc cref="Labeled{TLabel}(int, int, Func{int, TLabel}, int)"/>
    public static IDataView Labeled<TLabel>(int count, int[] dimensions, Func<int, TLabel> label, int seed = 1)
    {
        var random = new Random(TestSeed.Of(seed));
        var size = dimensions.Aggregate(1, (a, b) => a * b);
        return View(
            Enumerable.Range(0, count).Select(i => new LabeledRow<TLabel>
            {
                Label = label(i),
                Features = [.. Enumerable.Range(0, size).Select(slot => ((Number(label(i)) + slot) % 2 * 0.5f) + (0.5f * random.NextSingle()))],
            }),
            ("Features", dimensions));
    }

    /// <summary>Rows of three classes, whose label is a key that stands for 0, 1 and 2.</summary>
    public static IDataView Classes(int count, int width, int seed = 1) => Keyed(Labeled(count, width, i => (uint)i % 3, seed), "Label");

    public static IDataView Keyed(IDataView view, string column) => Ml.Transforms.Conversion.MapValueToKey(column).Fit(view).Transform(view);

    public static IDataView Renamed(IDataView view, string from, string to) =>
        Ml.Transforms.CopyColumns(to, from).Append(Ml.Transforms.DropColumns(from)).Fit(view).Transform(view);

    /// <summary>A number of a label, the same in every process.</summary>
    private static int Number<TLabel>(TLabel label) => $"{label}".Sum(character => character);

    internal sealed class LabeledRow<TLabel>
    {
        public TLabel Label { get; set; } = default!;

        public float[] Features { get; set; } = [];
    }
}
