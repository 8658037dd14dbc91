using System.Globalization;
using System.Text;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using Microsoft.ML.Data;
using Microsoft.ML;

namespace MLExtensions.Families.Forecasting;

/// <summary>The names of the columns that hold series.</summary>
/// <param name="Value">The column of values.</param>
/// <param name="Extra">The columns of extra inputs.</param>
/// <param name="Group">The column that names the series of a row; null if there is only one series.</param>
/// <param name="Time">The column with the time of a row; null if it is not checked.</param>
/// <param name="Gaps">How rows that are not equally spaced in time are handled.</param>
internal sealed record SeriesColumnNames(string Value, IReadOnlyList<string> Extra, string? Group, string? Time = null, TimeGapHandling Gaps = TimeGapHandling.Throw)
{
    /// <summary>The same names, without a time column that the data does not have: the times of rows to forecast are only checked.</summary>
    public SeriesColumnNames In(DataViewSchema schema) => Time == null || schema.GetColumnOrNull(Time) != null ? this : this with { Time = null };
}

/// <summary>The columns of a data set that hold series, found and checked.</summary>
internal sealed record SeriesColumns(DataViewSchema.Column Value, IReadOnlyList<DataViewSchema.Column> Extra, DataViewSchema.Column? Group, DataViewSchema.Column? Time, TimeGapHandling Gaps)
{
    /// <summary>The number of values per row: the value of the series and the extra inputs.</summary>
    public int Width { get; } = 1 + Extra.Sum(FeatureReader.WidthOf);

    public IEnumerable<DataViewSchema.Column> All
    {
        get
        {
            IEnumerable<DataViewSchema.Column?> all = [Value, .. Extra.Cast<DataViewSchema.Column?>(), Group, Time];
            return all.OfType<DataViewSchema.Column>();
        }
    }

    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public static SeriesColumns Find(DataViewSchema schema, SeriesColumnNames names)
    {
        Check(SchemaShape.Create(schema), names);
        return new SeriesColumns(
            schema[names.Value],
            names.Extra.Select(name => schema[name]).ToArray(),
            names.Group == null ? null : schema[names.Group],
            names.Time == null ? null : schema[names.Time],
            names.Gaps);
    }

    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public static void Check(SchemaShape schema, SeriesColumnNames names)
    {
        var value = Find(schema, names.Value, "Value");
        if (value.Kind != SchemaShape.Column.VectorKind.Scalar || value.ItemType != NumberDataViewType.Single)
            throw Wrong("Value", value, "Single", ColumnAdvice.ForNumber(value, " Each row has one value of the series; what else is known of a row goes into ExtraColumnNames."));
        foreach (var name in names.Extra)
        {
            var extra = Find(schema, name, "Extra");
            if (extra.Kind == SchemaShape.Column.VectorKind.VariableVector || extra.ItemType != NumberDataViewType.Single)
                throw Wrong("Extra", extra, "Single, or Vector<Single> of known size", ColumnAdvice.ForFeatures(extra));
        }
        if (names.Time != null)
        {
            var time = Find(schema, names.Time, "Time");
            if (time.Kind != SchemaShape.Column.VectorKind.Scalar || time.IsKey || !SeriesTimes.Takes(time.ItemType))
                throw Wrong("Time", time, "a DateTime, a DateTimeOffset or a number", "");
        }
        if (names.Group == null)
            return;
        var group = Find(schema, names.Group, "Group");
        if (group.Kind != SchemaShape.Column.VectorKind.Scalar || !(group.IsKey || group.ItemType is TextDataViewType || IsInteger(group.ItemType)))
            throw Wrong("Group", group, "a key, text or a whole number", "");
    }

    private static bool IsInteger(DataViewType type) =>
        type is NumberDataViewType && type != NumberDataViewType.Single && type != NumberDataViewType.Double;

    private static SchemaShape.Column Find(SchemaShape schema, string name, string role) =>
        schema.TryFindColumn(name, out var column)
            ? column
            : throw new ArgumentException($"{role} column '{name}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}.");

    private static ArgumentException Wrong(string role, SchemaShape.Column column, string expected, string advice) =>
        new($"{role} column '{column.Name}' has type {column.GetTypeString()}; it must be {expected}.{advice}");
}

/// <summary>Reads the values and the group of a cursor's current row.</summary>
internal sealed class SeriesRowReader
{
    private readonly DataViewRow _row;
    private readonly string _valueName;
    private readonly ValueGetter<float> _getValue;
    private readonly FeatureReader[] _extra;
    private readonly ValueGetter<StringBuilder>? _getGroup;
    private readonly string? _groupName;
    private readonly SeriesTimes? _times;
    private readonly float[] _values;
    private StringBuilder _text = new();

    public SeriesRowReader(DataViewRow row, SeriesColumns columns)
    {
        _row = row;
        _valueName = columns.Value.Name;
        _getValue = row.GetGetter<float>(columns.Value);
        _extra = columns.Extra.Select(column => new FeatureReader(row, column, FeatureReader.WidthOf(column))).ToArray();
        _getGroup = columns.Group is { } group ? RowCursorUtils.GetGetterAsStringBuilder(row, group.Index) : null;
        _groupName = columns.Group?.Name;
        _times = columns.Time is { } time ? new SeriesTimes(row, time, columns.Gaps) : null;
        _values = new float[columns.Width];
    }

    /// <summary>The number of gaps in time so far.</summary>
    public long Gaps => _times?.Gaps ?? 0;

    /// <summary>The series that the row belongs to; empty if there is only one.</summary>
    public string Group { get; private set; } = "";

    /// <summary>The values of the row: the value of the series, then the extra inputs.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <exception cref="FormatException">
    /// A value is NaN or infinite, the group is missing, or the time is not that of the next row; the message names column, row and value.
    /// </exception>
    public void Read()
    {
        ReadValues();
        ReadPlace();
    }

    /// <summary>Reads a row whose values may be missing if nothing needs them.</summary>
    /// <returns>Why the values cannot be used; null if they can.</returns>
    /// <exception cref="FormatException">The group is missing, or the time is not that of the next row.</exception>
    public FormatException? TryRead()
    {
        FormatException? fault = null;
        try
        {
            ReadValues();
        }
        catch (FormatException e)
        {
            fault = e;
        }
        ReadPlace();
        return fault;
    }

    private void ReadValues()
    {
        _getValue(ref _values[0]);
        if (!float.IsFinite(_values[0]))
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{_valueName}', {RowName.Of(_row.Position)}: the value is {_values[0]}; the values of a series must be finite. Fill the gaps, or remove the rows before them."));
        var at = 1;
        foreach (var reader in _extra)
        {
            reader.Read(_values.AsSpan(at, reader.Width));
            at += reader.Width;
        }
    }

    private void ReadPlace()
    {
        ReadGroup();
        _times?.Check(Group);
    }

    private void ReadGroup()
    {
        if (_getGroup == null)
            return;
        _getGroup(ref _text);
        if (_text.Length == 0)
            throw new FormatException(FormattableString.Invariant($"Group column '{_groupName}', {RowName.Of(_row.Position)}: the value is missing; every row must belong to a series."));
        if (!_text.Equals(Group))
            Group = _text.ToString();
    }
}
