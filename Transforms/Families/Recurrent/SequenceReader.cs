using MLExtensions.Messages;
using MLExtensions.Tensors;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Families.Recurrent;

/// <summary>Reads a column of sequences.</summary>
internal abstract class SequenceReader(SequenceInput input, DataViewRow row, DataViewSchema.Column column) : IFeatureReader
{
    private readonly List<float> _values = [];
    private readonly DataCounts _counts = new();

    protected string Column => column.Name;

    protected long Row => row.Position;

    /// <summary>The number of time steps of the current row's sequence.</summary>
    public int ReadLength() => ReadWhole().Length / input.ValuesPerStep;

    public void Read(Span<float> destination) => Write(input, ReadWhole(), destination, Column, Row, _counts);

    public void AddTo(DataCounts counts) => counts.Add(_counts);

    /// <summary>Writes a sequence of any length as a row of the format.</summary>
    /// <exception cref="FormatException">The sequence is too long or empty, and the input does not allow that.</exception>
    public static void Write(SequenceInput input, ReadOnlySpan<float> values, Span<float> destination, string column, long row, DataCounts? counts = null)
    {
        var size = input.ValuesPerStep;
        if (values.Length % size != 0)
            throw Bad(column, row, FormattableString.Invariant($"{values.Length} values are not a multiple of the step size {size}"));
        var steps = values.Length / size;
        counts?.Add(DataCounts.Sequences, 1);
        if (steps == 0)
        {
            if (input.EmptySequenceHandling == EmptySequenceHandling.Throw)
                throw Bad(column, row, $"the sequence is empty; allow empty sequences with {nameof(EmptySequenceHandling)}.{nameof(EmptySequenceHandling.Zeros)}, or filter them out");
            counts?.Add(DataCounts.EmptySequences, 1);
        }
        destination[0] = Math.Min(steps, input.MaximumLength);
        var target = destination[1..];
        if (steps <= input.MaximumLength)
        {
            values.CopyTo(target);
            target[values.Length..].Clear();
            return;
        }
        if (input.LongSequenceHandling == LongSequenceHandling.Throw)
            throw Bad(column, row, FormattableString.Invariant($"the sequence has {steps} time steps; at most {input.MaximumLength} are allowed. Increase MaximumLength, or truncate longer sequences with LongSequenceHandling"));
        counts?.Add(DataCounts.CutSequences, 1);
        counts?.Add(DataCounts.LostTimeSteps, steps - input.MaximumLength);
        var first = size * input.LongSequenceHandling switch
        {
            LongSequenceHandling.KeepBeginning => input.MaximumLength,
            LongSequenceHandling.KeepBeginningAndEnd => (input.MaximumLength + 1) / 2,
            _ => 0,
        };
        values[..first].CopyTo(target);
        values[^((size * input.MaximumLength) - first)..].CopyTo(target[first..]);
    }

    /// <summary>Appends the whole sequence of the current row.</summary>
    protected abstract void Append(List<float> values);

    protected void Count(string name, long count) => _counts.Add(name, count);

    protected FormatException Bad(string problem) => Bad(Column, Row, problem);

    protected FormatException Bad(int slot, string problem) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Feature column '{Column}', {RowName.Of(Row)}, slot {slot}: {problem}."));

    private static FormatException Bad(string column, long row, string problem) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Feature column '{column}', {RowName.Of(row)}: {problem}."));

    private ReadOnlySpan<float> ReadWhole()
    {
        _values.Clear();
        Append(_values);
        return CollectionsMarshal.AsSpan(_values);
    }
}

internal sealed class NumberSequenceReader(NumberSequence input, DataViewRow row, DataViewSchema.Column column) : SequenceReader(input, row, column)
{
    private readonly ValueGetter<VBuffer<float>> _getter = row.GetGetter<VBuffer<float>>(column);
    private VBuffer<float> _buffer;

    protected override void Append(List<float> values)
    {
        _getter(ref _buffer);
        CollectionsMarshal.SetCount(values, _buffer.Length);
        var span = CollectionsMarshal.AsSpan(values);
        _buffer.CopyTo(span);
        var bad = FiniteCheck.FirstNonFinite(span);
        if (bad >= 0)
            throw Bad(bad, string.Create(CultureInfo.InvariantCulture, $"the value is {span[bad]}; the values of a sequence must be finite"));
    }
}

internal sealed class KeySequenceReader(KeySequence input, DataViewRow row, DataViewSchema.Column column) : SequenceReader(input, row, column)
{
    private readonly ValueGetter<VBuffer<uint>> _getter = row.GetGetter<VBuffer<uint>>(column);

    // Keys without values can only be the same numbers.
    private readonly KeyMap? _names = input.KeyNames is { } known && KeyNames.Of(column) != null ? KeyMap.Create(column, known, "the model") : null;
    private VBuffer<uint> _buffer;

    protected override void Append(List<float> values)
    {
        _getter(ref _buffer);
        var slot = 0;
        foreach (var found in _buffer.DenseValues())
        {
            var key = found > 0 && _names != null ? (uint)_names.Find((int)found - 1, Row) + 1 : found;
            if (key > input.KeyCount)
                throw Bad(slot, FormattableString.Invariant($"the key is {key}; there are {input.KeyCount} keys"));
            if (key > 0)
                values.Add(key - 1);
            else if (input.MissingKeyHandling == MissingKeyHandling.Throw)
                throw Bad(slot, $"the key is missing; leave missing keys out with {nameof(MissingKeyHandling)}.{nameof(MissingKeyHandling.Skip)}, or map missing values to a key of their own");
            slot++;
        }
        Count(DataCounts.MissingKeys, slot - values.Count);
    }
}

internal sealed class TextSequenceReader(TextSequence input, DataViewRow row, DataViewSchema.Column column) : SequenceReader(input, row, column)
{
    private readonly ValueGetter<ReadOnlyMemory<char>> _getter = row.GetGetter<ReadOnlyMemory<char>>(column);
    private readonly List<int> _tokens = [];
    private ReadOnlyMemory<char> _text;

    protected override void Append(List<float> values)
    {
        _getter(ref _text);
        _tokens.Clear();
        try
        {
            input.Tokenizer.Encode(_text.Span, _tokens);
        }
        catch (FormatException e)
        {
            throw Bad(e.Message.TrimEnd('.'));
        }
        var unknown = input.Tokenizer.UnknownId;
        foreach (var token in _tokens)
        {
            values.Add(token);
            if (token == unknown)
                Count(DataCounts.UnknownTokens, 1);
        }
        Count(DataCounts.Tokens, _tokens.Count);
    }
}
