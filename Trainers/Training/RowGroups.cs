using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Training;

/// <summary>The column of <see cref="DataTrainingOptions.ValidationGroupColumnName"/>.</summary>
internal static class GroupColumn
{
    /// <exception cref="ArgumentException">The column is missing or of a wrong type; the message names it.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        if (schema.GetColumnOrNull(name) is not { } column)
            throw new ArgumentException($"{nameof(DataTrainingOptions.ValidationGroupColumnName)}: column '{name}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}.");
        if (column.Type is KeyDataViewType or TextDataViewType or BooleanDataViewType || (column.Type is NumberDataViewType && column.Type != NumberDataViewType.Single && column.Type != NumberDataViewType.Double))
            return column;
        throw new ArgumentException($"{nameof(DataTrainingOptions.ValidationGroupColumnName)}: column '{name}' has type {column.Type}; it must be a key, text, a whole number or Boolean.");
    }

    /// <summary>Reads groups as text. Missing values are one group.</summary>
    public static ValueGetter<StringBuilder> Open(DataViewRow row, DataViewSchema.Column column) => RowCursorUtils.GetGetterAsStringBuilder(row, column.Index);

    /// <summary>A number for a group, not 0.</summary>
    public static ulong Hash(StringBuilder group)
    {
        var hash = 1ul;
        foreach (var chunk in group.GetChunks())
        {
            foreach (var letter in chunk.Span)
                hash = ValueHash.Mix(hash ^ letter);
        }
        return Math.Max(1, hash);
    }
}

/// <summary>Holds out whole groups of rows for validation.</summary>
internal sealed class RowGroups
{
    private readonly HashSet<ulong> _held;

    private RowGroups(HashSet<ulong> held) => _held = held;

    /// <summary>Whether the rows of a group are for validation.</summary>
    public bool IsHeld(ulong group) => _held.Contains(group);

    /// <summary>Draws groups whose rows are about a fraction of all. The same rows give the same groups, in whatever order they come.</summary>
    /// <param name="rows">The number of rows of each group.</param>
    /// <param name="fraction">The fraction of rows to hold out.</param>
    /// <param name="seed">The seed of the training.</param>
    /// <param name="column">The group column, for the message.</param>
    /// <exception cref="ArgumentException">There is only one group.</exception>
    public static RowGroups Choose(IReadOnlyDictionary<ulong, long> rows, double fraction, int seed, string column)
    {
        var total = rows.Values.Sum();
        if (rows.Count == 1)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{nameof(DataTrainingOptions.ValidationGroupColumnName)}: all {total} rows have the same value in column '{column}'; at least 2 groups are needed, one for training and one for validation."));
        var random = SeedSequence.Derive(seed, SeedSequence.ValidationSplit);
        var held = new HashSet<ulong>();
        var (count, target) = (0L, total * fraction);
        foreach (var (group, size) in rows.OrderBy(entry => ValueHash.Mix(entry.Key ^ random)))
        {
            if (held.Count < rows.Count - 1 && Math.Abs(count + size - target) < Math.Abs(count - target))
            {
                held.Add(group);
                count += size;
            }
        }
        if (held.Count == 0 && rows.Count > 0)
            held.Add(rows.MinBy(entry => entry.Value).Key);
        return new RowGroups(held);
    }

    /// <summary>Counts the rows of each group.</summary>
    public static Dictionary<ulong, long> Count(IEnumerable<ulong> groups)
    {
        var counts = new Dictionary<ulong, long>();
        foreach (var group in groups)
            CollectionsMarshal.GetValueRefOrAddDefault(counts, group, out _)++;
        return counts;
    }
}
