using System.Runtime.InteropServices;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>The observations of one sequence, 4 bytes each or 4 bytes a feature; with states where they are known.</summary>
/// <param name="width">The number of features; 0 for symbols.</param>
internal sealed class ObservedSequence(int width)
{
    private readonly List<int> _symbols = [];
    private readonly List<float> _values = [];
    private List<int>? _states;

    public int Width => width;

    public int Length { get; private set; }

    /// <summary>The row of the first observation.</summary>
    public long FirstRow { get; set; }

    /// <summary>The symbols, from 0; -1 where they are missing.</summary>
    public ReadOnlySpan<int> Symbols => CollectionsMarshal.AsSpan(_symbols);

    public int NumberOfMissing { get; private set; }

    public bool HasStates => _states != null;

    public void Add(int symbol)
    {
        _symbols.Add(symbol);
        Added(symbol < 0);
    }

    public void Add(ReadOnlySpan<float> vector)
    {
        _values.AddRange(vector);
        Added(float.IsNaN(vector[0]));
    }

    /// <summary>Says the state of the last observation.</summary>
    public void AddState(int state)
    {
        if (_states == null)
        {
            if (state < 0)
                return;
            _states = [];
            CollectionsMarshal.SetCount(_states, Length - 1);
            CollectionsMarshal.AsSpan(_states).Fill(-1);
        }
        _states.Add(state);
    }

    public bool IsMissing(int position) => width == 0 ? Symbols[position] < 0 : float.IsNaN(_values[position * width]);

    public ReadOnlySpan<float> Vector(int position) => CollectionsMarshal.AsSpan(_values).Slice(position * width, width);

    /// <summary>The state of an observation; -1 if it is unknown.</summary>
    public int State(int position) => _states == null ? -1 : _states[position];

    public void SetMissing(int position)
    {
        if (width == 0)
            _symbols[position] = -1;
        else
            CollectionsMarshal.AsSpan(_values)[position * width] = float.NaN;
        NumberOfMissing++;
    }

    public void ForgetStates() => _states = null;

    public void Clear()
    {
        _symbols.Clear();
        _values.Clear();
        _states = null;
        (Length, NumberOfMissing) = (0, 0);
    }

    /// <summary>Gives back memory that growing has left over.</summary>
    public void Trim()
    {
        _symbols.TrimExcess();
        _values.TrimExcess();
        _states?.TrimExcess();
    }

    /// <summary>A part of the sequence as a sequence of its own.</summary>
    public ObservedSequence Slice(int first, int count)
    {
        var part = new ObservedSequence(width) { FirstRow = FirstRow + first };
        for (var position = first; position < first + count; position++)
        {
            if (width == 0)
                part.Add(Symbols[position]);
            else
                part.Add(Vector(position));
            part.AddState(State(position));
        }
        part.Trim();
        return part;
    }

    private void Added(bool isMissing)
    {
        Length++;
        NumberOfMissing += isMissing ? 1 : 0;
    }
}
