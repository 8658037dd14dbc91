using System.Globalization;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Forecasting;

/// <summary>Reads the values and the group of the row that a cursor stands on.</summary>
internal sealed class SeriesRowReader
{
    private readonly DataViewRow _row;
    private readonly string _valueName;
    private readonly ValueGetter<float> _getValue;
    private readonly FeatureReader[] _extra;
    private readonly ValueGetter<StringBuilder>? _getGroup;
    private readonly string? _groupName;
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
        _values = new float[columns.Width];
    }

    /// <summary>The series that the row belongs to; empty where there is one only.</summary>
    public string Group { get; private set; } = "";

    /// <summary>The row's values: the series' own, then the extra inputs.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <exception cref="FormatException">A value is NaN or infinite, or the group is missing; the message names column, row and value.</exception>
    public void Read()
    {
        _getValue(ref _values[0]);
        if (!float.IsFinite(_values[0]))
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{_valueName}', row {_row.Position}: the value is {_values[0]}; the values of a series must be finite. Fill gaps first, or leave out what lies before them."));
        var at = 1;
        foreach (var reader in _extra)
        {
            reader.Read(_values.AsSpan(at, reader.Width));
            at += reader.Width;
        }
        if (_getGroup == null)
            return;
        _getGroup(ref _text);
        if (_text.Length == 0)
            throw new FormatException($"Group column '{_groupName}', row {_row.Position}: the value is missing; every row must belong to a series.");
        if (!_text.Equals(Group))
            Group = _text.ToString();
    }
}
