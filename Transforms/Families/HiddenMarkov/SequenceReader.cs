using System.Globalization;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>Reads sequences from rows that stand one after the other.</summary>
internal sealed class SequenceReader : IDisposable
{
    public const string MissingObservations = "missing observations";
    public const string UnknownSymbols = "unknown symbols";
    public const string Observations = "observations";
    public const string KnownStates = "known states";

    private readonly DataViewRowCursor _cursor;
    private readonly SequenceColumns _names;
    private readonly Action<ObservedSequence> _readObservation;
    private readonly ValueGetter<StringBuilder>? _getSequence;
    private readonly ValueGetter<uint>? _getState;
    private readonly KeyMap? _stateMap;
    private readonly int _stateCount;
    private readonly HashSet<string> _finished = new(StringComparer.Ordinal);
    private StringBuilder _text = new();
    private string? _name;
    private long _row = -1;
    private bool _isWaiting;

    /// <param name="data">The rows.</param>
    /// <param name="names">The columns. They were checked.</param>
    /// <param name="format">What observations are.</param>
    /// <param name="learnedSymbols">Receives symbols of text that are new, and knows the others; null if only those of the format are known.</param>
    /// <param name="states">The states that labels stand for; null to take them by their numbers.</param>
    public SequenceReader(IDataView data, SequenceColumns names, ObservationFormat format, Dictionary<string, int>? learnedSymbols = null, MarkovStateNames? states = null)
    {
        var schema = data.Schema;
        DataViewSchema.Column?[] columns = [schema[names.Observation], names.Sequence == null ? null : schema[names.Sequence], names.Label == null ? null : schema[names.Label]];
        _names = names;
        _stateCount = states?.All.Count ?? int.MaxValue;
        if (names.Label != null && states != null && (states.OfLabels != null || KeyNames.Of(schema[names.Label]) != null))
            _stateMap = KeyMap.Create(schema[names.Label], states.All, "the model");
        _cursor = data.GetRowCursor(columns.OfType<DataViewSchema.Column>().DistinctBy(column => column.Index));
        _getSequence = names.Sequence == null ? null : RowCursorUtils.GetGetterAsStringBuilder(_cursor, schema[names.Sequence].Index);
        _getState = names.Label == null ? null : KeyNames.Open(_cursor, schema[names.Label]);
        _readObservation = Open(schema[names.Observation], format, learnedSymbols);
    }

    public DataCounts Counts { get; } = new();

    /// <summary>The rows that were read.</summary>
    public long Rows => _row + (_isWaiting ? 0 : 1);

    /// <summary>Reads the next sequence.</summary>
    /// <param name="sequence">Is cleared first.</param>
    /// <returns>False at the end of the rows.</returns>
    /// <exception cref="FormatException">A value is not suitable, or rows of a sequence do not follow each other; the message names column and row.</exception>
    public bool Read(ObservedSequence sequence)
    {
        sequence.Clear();
        if (!_isWaiting && !Next())
            return false;
        sequence.FirstRow = _row;
        do
        {
            _isWaiting = false;
            _readObservation(sequence);
            if (_getState != null)
                sequence.AddState(ReadState());
        }
        while (Next() && !_isWaiting);
        Counts.Add(DataCounts.Sequences, 1);
        Counts.Add(Observations, sequence.Length);
        Counts.Add(MissingObservations, sequence.NumberOfMissing);
        return true;
    }

    public void Dispose() => _cursor.Dispose();

    /// <summary>Moves to the next row; it waits if it is the first of another sequence.</summary>
    private bool Next()
    {
        if (!_cursor.MoveNext())
        {
            _isWaiting = false;
            return false;
        }
        _row++;
        if (_getSequence == null)
            return true;
        _getSequence(ref _text);
        if (_text.Length == 0)
            throw new FormatException(FormattableString.Invariant($"Sequence column '{_names.Sequence}', {RowName.Of(_row)}: the value is missing; every row must belong to a sequence."));
        if (_name != null && _text.Equals(_name))
            return true;
        if (_name != null)
            _finished.Add(_name);
        _isWaiting = _name != null;
        _name = _text.ToString();
        if (_finished.Contains(_name))
            throw new FormatException(FormattableString.Invariant($"Sequence column '{_names.Sequence}', {RowName.Of(_row)}: the sequence '{_name}' goes on after rows of other sequences. The rows of a sequence must stand one after the other, in order: sort the data by sequence and time before."));
        return true;
    }

    private int ReadState()
    {
        var key = 0u;
        _getState!(ref key);
        if (key == 0)
            return -1;
        Counts.Add(KnownStates, 1);
        if (_stateMap != null)
            return _stateMap.Find((int)key - 1, _row);
        if (key > _stateCount)
            throw new FormatException(FormattableString.Invariant($"Label column '{_names.Label}', {RowName.Of(_row)}: the state has the key {key}; the model has {_stateCount} states."));
        return (int)key - 1;
    }

    private Action<ObservedSequence> Open(DataViewSchema.Column column, ObservationFormat format, Dictionary<string, int>? learned)
    {
        if (!format.IsDiscrete)
            return OpenNumbers(column, format.Width);
        if (column.Type is KeyDataViewType)
        {
            var places = format.PlacesOf(column);
            var getKey = KeyNames.Open(_cursor, column);
            return sequence =>
            {
                var key = 0u;
                getKey(ref key);
                sequence.Add(key == 0 ? -1 : Known(key > places.Length ? -1 : places[key - 1]));
            };
        }
        var symbols = learned ?? Symbols(format, column.Name);
        var lookup = symbols.GetAlternateLookup<ReadOnlySpan<char>>();
        var getText = _cursor.GetGetter<ReadOnlyMemory<char>>(column);
        return sequence =>
        {
            var text = default(ReadOnlyMemory<char>);
            getText(ref text);
            if (text.IsEmpty)
                sequence.Add(-1);
            else if (lookup.TryGetValue(text.Span, out var symbol))
                sequence.Add(symbol);
            else if (learned == null)
                sequence.Add(Known(-1));
            else
                sequence.Add(learned[text.ToString()] = learned.Count);
        };
    }

    private int Known(int symbol)
    {
        if (symbol < 0)
            Counts.Add(UnknownSymbols, 1);
        return symbol;
    }

    private static Dictionary<string, int> Symbols(ObservationFormat format, string column)
    {
        if (format.Names == null)
            throw new ArgumentException($"Column '{column}' is Text, but the symbols of the model are keys without names. Add MapValueToKey.");
        var symbols = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < format.Names.Count; i++)
            symbols.TryAdd(format.Names[i], i);
        return symbols;
    }

    private Action<ObservedSequence> OpenNumbers(DataViewSchema.Column column, int width)
    {
        if (FeatureReader.WidthOf(column) is var found && found != width)
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {found} values; the model has {width} features."));
        var values = new float[width];
        var dense = default(VBuffer<float>);
        var getVector = column.Type is VectorDataViewType ? _cursor.GetGetter<VBuffer<float>>(column) : null;
        var getNumber = getVector == null ? _cursor.GetGetter<float>(column) : null;
        return sequence =>
        {
            getNumber?.Invoke(ref values[0]);
            if (getVector != null)
            {
                getVector(ref dense);
                dense.CopyTo(values);
            }
            var isMissing = false;
            foreach (var value in values)
            {
                if (float.IsInfinity(value))
                    throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{column.Name}', {RowName.Of(_row)}: the value is {value}; observations must be finite, or NaN where they are missing."));
                isMissing |= float.IsNaN(value);
            }
            if (isMissing)
                values[0] = float.NaN;
            sequence.Add(values);
        };
    }
}
