using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>Columns and rows of unlabeled features.</summary>
internal static class FeatureRows
{
    private const int BlockRows = 1024;

    /// <summary>Computes a measure per row: <c>[rows, features]</c> to <c>[rows]</c>.</summary>
    public delegate Tensor Measure(Tensor rows);

    /// <summary>Uses a block of rows.</summary>
    /// <param name="block"><c>[rows, features]</c>, float32, valid until the action returns.</param>
    /// <param name="first">The number of rows before the block.</param>
    public delegate void BlockAction(Tensor block, long first);

    /// <exception cref="ArgumentException">The column does not exist.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name) =>
        schema.GetColumnOrNull(name) ?? throw Missing(name, schema.Select(column => column.Name));

    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public static void Check(SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var input))
            throw Missing(name, schema.Select(column => column.Name));
        if (input.ItemType != NumberDataViewType.Single || input.IsKey || input.Kind == SchemaShape.Column.VectorKind.VariableVector)
            throw new ArgumentException($"Column '{input.Name}' has type {input.GetTypeString()}; it must be Vector<Single> of known size, or Single.{ColumnAdvice.ForFeatures(input)}", nameof(schema));
    }

    /// <exception cref="ArgumentException">There are no rows, or one has too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public static Tensor ToTensor(IReadOnlyList<float[]> rows, int width)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0)
            throw new ArgumentException("There are no rows.", nameof(rows));
        var tensor = zeros([rows.Count, width], ScalarType.Float32, CPU);
        var values = TensorMemory.Floats(tensor);
        for (var row = 0; row < rows.Count; row++)
        {
            if (rows[row] == null)
                throw new ArgumentNullException(nameof(rows), FormattableString.Invariant($"{nameof(rows)}[{row}] is null; each row must have {width} values."));
            if (rows[row].Length != width)
                throw new ArgumentException(FormattableString.Invariant($"{nameof(rows)}[{row}] has {rows[row].Length} values; the model was trained on {width} values."), nameof(rows));
            var bad = FiniteCheck.FirstNonFinite(rows[row]);
            if (bad >= 0)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{nameof(rows)}[{row}], slot {bad}: the value is {rows[row][bad]}; it must be finite."));
            rows[row].CopyTo(values[(row * width)..]);
        }
        return tensor;
    }

    /// <summary>Returns the mean of a measure over all rows of data.</summary>
    /// <param name="data">The data.</param>
    /// <param name="column">The feature column.</param>
    /// <param name="width">The number of features.</param>
    /// <param name="multiplyAdds">The multiply-adds per row.</param>
    /// <param name="measure">Computes a measure per row: <c>[rows, features]</c> to <c>[rows]</c>.</param>
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public static double Mean(IDataView data, DataViewSchema.Column column, int width, double multiplyAdds, Measure measure)
    {
        using var mode = TorchState.Infer();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(multiplyAdds * BlockRows));
        var sum = 0.0;
        var rows = ForEachBlock(data, column, width, BlockRows, (block, _) => sum += measure(block).to(ScalarType.Float64).sum().item<double>());
        return rows > 0 ? sum / rows : throw new ArgumentException("The data has no rows.", nameof(data));
    }

    /// <summary>Reads data once and passes its rows to an action in blocks that share their memory. Each call has a dispose scope of its own.</summary>
    /// <param name="data">The data.</param>
    /// <param name="column">The feature column.</param>
    /// <param name="width">The number of features.</param>
    /// <param name="blockRows">The number of rows of all blocks but the last.</param>
    /// <param name="action">Uses a block.</param>
    /// <returns>The number of rows.</returns>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public static long ForEachBlock(IDataView data, DataViewSchema.Column column, int width, int blockRows, BlockAction action)
    {
        using var block = new FeatureBlock(blockRows, width);
        using var cursor = data.GetRowCursor([column]);
        var reader = new FeatureReader(cursor, column, width);
        var (rows, count) = (0L, 0);
        while (cursor.MoveNext())
        {
            reader.Read(block.Row(count++));
            if (count == blockRows)
                Pass();
        }
        if (count > 0)
            Pass();
        return rows;

        void Pass()
        {
            using var scope = NewDisposeScope();
            action(block.Rows(0, count), rows);
            rows += count;
            count = 0;
        }
    }

    public static ArgumentException Missing(string name, IEnumerable<string> present) =>
        new($"Column '{name}' is not in the data; the columns are {string.Join(", ", present)}.");
}
