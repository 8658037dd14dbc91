using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Reads embeddings, distances and whether pairs are the same, in managed code.</summary>
internal static class EmbeddingReader
{
    /// <summary>Reads rows with a class and an embedding; rows without a class are counted and left out.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    public static (LabeledEmbeddings Rows, IReadOnlyList<string> Names, long WithoutLabel) ReadClasses(IDataView data, string labelColumnName, string embeddingColumnName)
    {
        var column = FeatureRows.Find(data.Schema, embeddingColumnName);
        var (rows, withoutLabel) = Gallery.Read(data, column, labelColumnName);
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, _) in rows)
            places.TryAdd(name, places.Count);
        var embeddings = new LabeledEmbeddings(rows.SelectMany(row => row.Embedding).ToArray(), FeatureReader.WidthOf(column), rows.Select(row => places[row.Name]).ToArray());
        return (embeddings, places.Keys.ToArray(), withoutLabel);
    }

    /// <summary>Reads the class of each row; null for a row without one.</summary>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type.</exception>
    public static string?[] ReadNames(IDataView data, string labelColumnName)
    {
        var label = ClassColumn.Find(data.Schema, labelColumnName, "Label", "data");
        var names = new List<string?>();
        using var cursor = data.GetRowCursor([label.Column]);
        var getName = label.Open(cursor);
        while (cursor.MoveNext())
            names.Add(getName());
        return [.. names];
    }

    /// <summary>Reads the embeddings of all rows.</summary>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    public static List<float[]> ReadEmbeddings(IDataView data, string embeddingColumnName)
    {
        var column = FeatureRows.Find(data.Schema, embeddingColumnName);
        var (rows, size) = (new List<float[]>(), FeatureReader.WidthOf(column));
        using var cursor = data.GetRowCursor([column]);
        var reader = new FeatureReader(cursor, column, size);
        while (cursor.MoveNext())
        {
            var row = new float[size];
            reader.Read(row);
            rows.Add(row);
        }
        return rows;
    }

    /// <summary>Reads the distances of pairs, and which of them are the same.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type.</exception>
    /// <exception cref="FormatException">A distance is no number.</exception>
    public static PairDistances ReadDistances(IDataView data, string distanceColumnName, string labelColumnName)
    {
        var column = FeatureRows.Find(data.Schema, distanceColumnName);
        if (column.Type != NumberDataViewType.Single)
            throw new ArgumentException($"Distance column '{column.Name}' has type {column.Type}; it must be a Single.");
        return Read(data, labelColumnName, [column], cursor =>
        {
            var reader = new FeatureReader(cursor, column, 1);
            var value = new float[1];
            return () =>
            {
                reader.Read(value);
                return value[0];
            };
        });
    }

    /// <summary>Reads pairs of embeddings, and which of them are the same.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or the embeddings have different sizes.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    public static PairDistances ReadPairs(IDataView data, string firstColumnName, string secondColumnName, string labelColumnName)
    {
        var pair = EmbeddingPair.Find(data.Schema, firstColumnName, secondColumnName);
        return Read(data, labelColumnName, [pair.First, pair.Second], cursor =>
        {
            var getDistance = pair.Open(cursor);
            return () => getDistance();
        });
    }

    private static PairDistances Read(IDataView data, string labelColumnName, DataViewSchema.Column[] columns, Func<DataViewRow, Func<double>> open)
    {
        var label = FeatureRows.Find(data.Schema, labelColumnName);
        if (label.Type != BooleanDataViewType.Instance)
            throw new ArgumentException($"Label column '{label.Name}' has type {label.Type}; it must be Boolean: whether the pair is the same.");
        var (distances, same) = (new List<double>(), new List<bool>());
        using var cursor = data.GetRowCursor([label, .. columns]);
        var getLabel = cursor.GetGetter<bool>(label);
        var getDistance = open(cursor);
        while (cursor.MoveNext())
        {
            var isSame = false;
            getLabel(ref isSame);
            same.Add(isSame);
            distances.Add(getDistance());
        }
        var pairs = new PairDistances(distances.ToArray(), same.ToArray());
        if (pairs.All.Same.Length == 0 || pairs.All.Different.Length == 0)
            throw new ArgumentException(FormattableString.Invariant($"Column '{labelColumnName}' says that {pairs.All.Same.Length} pairs are the same and {pairs.All.Different.Length} are different; both kinds are needed."));
        return pairs;
    }
}
