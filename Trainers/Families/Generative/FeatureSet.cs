using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Generative;

/// <summary>A feature column of a data set that is compared with others, and its number of rows.</summary>
internal sealed class FeatureSet
{
    public const int BlockRows = 1024;

    private readonly IDataView _data;
    private readonly DataViewSchema.Column _column;
    private readonly string _name;

    private FeatureSet(IDataView data, DataViewSchema.Column column, int width, long count, string name) =>
        (_data, _column, Width, Count, _name) = (data, column, width, count, name);

    /// <summary>The number of features.</summary>
    public int Width { get; }

    /// <summary>The number of rows.</summary>
    public long Count { get; }

    /// <param name="data">The data.</param>
    /// <param name="columnName">The feature column.</param>
    /// <param name="name">What the data is, for messages, such as "real data".</param>
    /// <param name="like">Data whose features it is compared with, or null.</param>
    /// <param name="minimumRows">The rows that it must have.</param>
    /// <exception cref="ArgumentException">The column is missing, of a wrong type or of another size, or there are too few rows.</exception>
    public static FeatureSet Of(IDataView data, string columnName, string name, FeatureSet? like = null, int minimumRows = 2)
    {
        var found = data.Schema.GetColumnOrNull(columnName)
            ?? throw new ArgumentException($"Column '{columnName}' is not in the {name}; the columns are {string.Join(", ", data.Schema.Select(other => other.Name))}.");
        var width = FeatureReader.WidthOf(found);
        if (like != null && width != like.Width)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Feature column '{columnName}' has {width} values per row in the {name} and {like.Width} in the {like._name}; they are compared, so they must be the same features."));
        var count = RowsOf(data);
        if (count < minimumRows)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The {name} has {count} {(count == 1 ? "row" : "rows")}; there must be at least {minimumRows}."));
        return new FeatureSet(data, found, width, count, name);
    }

    /// <summary>Reads the rows once.</summary>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    /// <exception cref="InvalidOperationException">The data does not have the rows again that it was counted with.</exception>
    public void ForEachBlock(FeatureRows.BlockAction action)
    {
        var rows = FeatureRows.ForEachBlock(_data, _column, Width, BlockRows, (block, first) =>
        {
            if (first + block.shape[0] > Count)
                throw Differs("more");
            action(block, first);
        });
        if (rows < Count)
            throw Differs(rows.ToString(CultureInfo.InvariantCulture));
    }

    private static long RowsOf(IDataView data)
    {
        if (data.GetRowCount() is { } known)
            return known;
        using var cursor = data.GetRowCursor([]);
        var count = 0L;
        while (cursor.MoveNext())
            count++;
        return count;
    }

    private InvalidOperationException Differs(string rows) => new(string.Create(CultureInfo.InvariantCulture,
        $"The {_name} gave {Count} rows when they were counted, and {rows} when they were read. Its rows are needed twice: read what comes only once into memory with ml.Data.Cache."));
}
