using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>Reads the episode of rows that are one after the other.</summary>
internal sealed class EpisodeNumber
{
    private readonly DataViewRow _row;
    private readonly string _column;
    private readonly Func<long> _getter;
    private readonly HashSet<long> _known = [];
    private readonly bool _isKey;

    public EpisodeNumber(DataViewRow row, string column) =>
        (_row, _column, _getter, _isKey) = (row, column, Getter(row, column), row.Schema[column].Type is KeyDataViewType);

    /// <summary>The episode of the row that was looked at last.</summary>
    public long Value { get; private set; }

    /// <summary>Whether a column can number episodes or steps: keys and whole numbers do.</summary>
    public static bool Suits(SchemaShape.Column column) =>
        column.IsKey || (column.ItemType is NumberDataViewType && column.ItemType != NumberDataViewType.Single && column.ItemType != NumberDataViewType.Double);

    /// <summary>Returns what reads a key or a whole number.</summary>
    public static Func<long> Getter(DataViewRow cursor, string name)
    {
        var column = cursor.Schema[name];
        if (column.Type is KeyDataViewType)
        {
            var getKey = RowCursorUtils.GetGetterAs<ulong>(NumberDataViewType.UInt64, cursor, column.Index);
            return () =>
            {
                var key = 0ul;
                getKey(ref key);
                return (long)key;
            };
        }
        var getter = RowCursorUtils.GetGetterAs<long>(NumberDataViewType.Int64, cursor, column.Index);
        return () =>
        {
            var value = 0L;
            getter(ref value);
            return value;
        };
    }

    /// <summary>Whether an episode begins with the row.</summary>
    /// <exception cref="FormatException">It is missing or has ended before; the message names column, row and value.</exception>
    public bool Begins()
    {
        var next = _getter();
        if (_isKey && next == 0)
            throw new FormatException(FormattableString.Invariant($"Column '{_column}', {RowName.Of(_row.Position)}: the episode is missing. Leave such rows out."));
        if (_known.Count > 0 && next == Value)
            return false;
        if (!_known.Add(next))
            throw new FormatException(FormattableString.Invariant($"Column '{_column}', {RowName.Of(_row.Position)}: episode {next} has ended before; the rows of an episode must be one after the other."));
        Value = next;
        return true;
    }
}
