using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Boltzmann;

/// <summary>Draws a small labeled part of the data, the same number of rows of each class.</summary>
internal static class FewLabels
{
    /// <exception cref="UsageException">The number is not a multiple of the number of classes, or a class has too few rows.</exception>
    public static IDataView Take(MLContext mlContext, IDataView data, int count, int seed)
    {
        var label = data.Schema["Label"];
        var classes = (int)((KeyDataViewType)label.Type).Count;
        if (count % classes != 0)
            throw new UsageException($"--labels is {count}; it must be a multiple of {classes}, the number of classes.");
        var chosen = Choose([.. data.GetColumn<uint>(label)], count / classes, seed);
        var images = mlContext.Data.CreateEnumerable<LabeledImage>(data, reuseRowObject: false)
            .Where((_, row) => chosen.Contains(row)).ToArray();
        // Keys count from 1 where they are read, and from 0 where objects become rows.
        foreach (var image in images)
            image.Label--;
        var schema = SchemaDefinition.Create(typeof(LabeledImage));
        schema[nameof(LabeledImage.Label)].ColumnType = label.Type;
        schema[nameof(LabeledImage.Features)].ColumnType = data.Schema["Features"].Type;
        VBuffer<uint> names = default;
        label.GetKeyValues(ref names);
        schema[nameof(LabeledImage.Label)].AddAnnotation("KeyValues", names, new VectorDataViewType(NumberDataViewType.UInt32, classes));
        return mlContext.Data.LoadFromEnumerable(images, schema);
    }

    private static HashSet<int> Choose(uint[] labels, int perClass, int seed)
    {
        var random = new Random(seed);
        var chosen = new HashSet<int>();
        foreach (var rows in Enumerable.Range(0, labels.Length).GroupBy(row => labels[row]).Select(group => group.ToArray()))
        {
            if (rows.Length < perClass)
                throw new UsageException($"--labels asks for {perClass} images of each class; one has {rows.Length}.");
            random.Shuffle(rows);
            chosen.UnionWith(rows[..perClass]);
        }
        return chosen;
    }

    private sealed class LabeledImage
    {
        public uint Label { get; set; }

        public float[] Features { get; set; } = [];
    }
}
