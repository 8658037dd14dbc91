using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;

namespace MLExtensions.Tensors;

/// <summary>A column of classes: keys, texts, Booleans or numbers, which are met by their names.</summary>
internal sealed class ClassColumn
{
    private readonly DataViewSchema.Column _column;

    private ClassColumn(DataViewSchema.Column column)
    {
        _column = column;
        if (column.Type is KeyDataViewType key)
        {
            KeyNames = MLExtensions.Tensors.KeyNames.Of(column);
            Names = KeyNames ?? (key.Count is > 0 and < int.MaxValue ? Enumerable.Range(1, (int)key.Count).Select(NumberName).ToArray() : null);
        }
    }

    public string Name => _column.Name;

    public DataViewSchema.Column Column => _column;

    /// <summary>The names of all classes that a key column can have; null for other columns.</summary>
    public IReadOnlyList<string>? Names { get; }

    /// <summary>What the keys stand for; null if they have no values, or for other columns.</summary>
    private IReadOnlyList<string>? KeyNames { get; }

    private bool IsKey => _column.Type is KeyDataViewType;

    /// <param name="schema">The columns.</param>
    /// <param name="name">The column.</param>
    /// <param name="role">What the column is, for messages, such as "Label".</param>
    /// <param name="data">What the data is, for messages.</param>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type.</exception>
    public static ClassColumn Find(DataViewSchema schema, string name, string role, string data)
    {
        var column = schema.GetColumnOrNull(name)
            ?? throw new ArgumentException($"{role} column '{name}' is not in the {data}; the columns are {string.Join(", ", schema.Where(other => !other.IsHidden).Select(other => other.Name))}.");
        if (column.Type is not (KeyDataViewType or TextDataViewType or BooleanDataViewType or NumberDataViewType))
            throw new ArgumentException($"{role} column '{name}' has type {column.Type}; it must have one class per row: a key, a text, a Boolean or a number.");
        return new ClassColumn(column);
    }

    /// <summary>Checks that classes of two columns can be met by name.</summary>
    /// <exception cref="ArgumentException">The keys of only one of them have values.</exception>
    public void CheckComparable(ClassColumn other)
    {
        if (IsUnnamed == other.IsUnnamed)
            return;
        var (unnamed, named) = IsUnnamed ? (this, other) : (other, this);
        throw new ArgumentException($"The keys of column '{unnamed.Name}' have no values, but {(named.IsKey ? $"those of column '{named.Name}' stand for {NameList.Of(named.KeyNames!)}" : $"column '{named.Name}' has type {named._column.Type}")}. Classes are met by the values that keys stand for (KeyValues); MapValueToKey adds them.");
    }

    /// <summary>Opens the column: a function that returns the name of the current row's class, or null if it is missing.</summary>
    public Func<string?> Open(DataViewRow row)
    {
        if (_column.Type is TextDataViewType)
            return OpenAs<ReadOnlyMemory<char>>(row, text => text.IsEmpty ? null : text.ToString());
        if (_column.Type is BooleanDataViewType)
            return OpenAs<bool>(row, value => value ? bool.TrueString : bool.FalseString);
        if (!IsKey)
        {
            var getText = RowCursorUtils.GetGetterAs<ReadOnlyMemory<char>>(TextDataViewType.Instance, row, _column.Index);
            ReadOnlyMemory<char> text = default;
            return () =>
            {
                getText(ref text);
                var name = text.ToString();
                return name.Length == 0 || name == "NaN" || name == "?" ? null : name;
            };
        }
        var getLabel = RowCursorUtils.GetLabelGetter(row, _column.Index);
        var label = 0f;
        return () =>
        {
            getLabel(ref label);
            if (float.IsNaN(label))
                return null;
            return Names != null && label < Names.Count ? Names[(int)label] : NumberName((int)label + 1);
        };
    }

    private bool IsUnnamed => IsKey && KeyNames == null;

    private static string NumberName(int key) => key.ToString(CultureInfo.InvariantCulture);

    private Func<string?> OpenAs<T>(DataViewRow row, Func<T, string?> nameOf)
    {
        var get = row.GetGetter<T>(_column);
        T value = default!;
        return () =>
        {
            get(ref value);
            return nameOf(value);
        };
    }
}
