using MLExtensions.Onnx;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>The names of the columns of a deep Q-network. Without a mask, all actions are allowed.</summary>
internal sealed record DqnColumns(string State, string? Mask, string Action, string Values);

/// <summary>Checks states before a network sees them.</summary>
internal static class StateCheck
{
    /// <summary>The first value that cannot be, with what it may be; null if there is none.</summary>
    public static (int Place, string Allowed)? FirstWrong(ActionValueArchitecture architecture, ReadOnlySpan<float> state)
    {
        if (FiniteCheck.FirstNonFinite(state) is var place && place >= 0)
            return (place, "finite");
        if (architecture.StateCount is not { } count || (state[0] == MathF.Floor(state[0]) && state[0] >= architecture.FirstState && state[0] < architecture.FirstState + count))
            return null;
        return (0, FormattableString.Invariant($"a whole number from {architecture.FirstState} to {architecture.FirstState + count - 1}"));
    }

    /// <exception cref="FormatException">A value cannot be; the message names column, row and value.</exception>
    public static void CheckRow(ActionValueArchitecture architecture, ReadOnlySpan<float> state, string column, long position)
    {
        if (FirstWrong(architecture, state) is var (place, allowed))
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{column}', {RowName.Of(position)}, slot {place}: the value is {state[place]}; it must be {allowed}."));
    }
}

/// <summary>The state of a row and, if there is a mask, a 1 for each allowed action.</summary>
/// <param name="Architecture">The network.</param>
/// <param name="Columns">The columns.</param>
internal sealed record StateFormat(ActionValueArchitecture Architecture, DqnColumns Columns) : FeatureFormat
{
    public override int Width => Architecture.InputCount + (Columns.Mask == null ? 0 : Architecture.OutputCount);

    public override DataViewType InputType => new VectorDataViewType(NumberDataViewType.Single, Width);

    public override bool HoldsColumn(DataViewSchema.Column column) => false;

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => new Reader(this, row, column);

    public override void Check(DataViewSchema.Column column)
    {
        if (!FeatureReader.Fits(column, Architecture.InputCount) || column.Type is Microsoft.ML.Transforms.Image.ImageDataViewType)
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); a state of the policy has {Architecture.InputCount}."));
    }

    public override void Arrange(in VBuffer<float> features, Span<float> row) => throw new NotSupportedException("A policy reads several columns.");

    public override string Write(GraphWriter graph, OnnxColumns columns, DataViewSchema.Column column)
    {
        var state = columns.Floats(graph, column, Architecture.InputCount);
        if (Columns.Mask is not { } mask)
            return state;
        var allowed = graph.Cast(columns.Floats(graph, columns.Schema[mask], Architecture.OutputCount), typeof(long));
        var number = graph.Reduce("ReduceSum", allowed, keepDimensions: true, 1);
        allowed = graph.StopIf(allowed, graph.Node("Less", [number, graph.Constant(1L)]), $"action: column '{mask}' allows none");
        return graph.Concatenate(1, state, graph.Cast(allowed, typeof(float)));
    }

    private sealed class Reader : IFeatureReader
    {
        private readonly StateFormat _format;
        private readonly DataViewRow _row;
        private readonly FeatureReader _state;
        private readonly MaskReader? _mask;

        public Reader(StateFormat format, DataViewRow row, DataViewSchema.Column column)
        {
            (_format, _row) = (format, row);
            _state = new FeatureReader(row, column, format.Architecture.InputCount);
            if (format.Columns.Mask is { } mask)
                _mask = new MaskReader(row, row.Schema[mask], format.Architecture.OutputCount);
        }

        public void Read(Span<float> destination)
        {
            var architecture = _format.Architecture;
            var state = destination[..architecture.InputCount];
            _state.Read(state);
            StateCheck.CheckRow(architecture, state, _format.Columns.State, _row.Position);
            _mask?.Read(destination[architecture.InputCount..]);
        }
    }
}

/// <summary>Reads a mask of allowed actions: a vector of Boolean or of numbers, of which 0 and false forbid.</summary>
internal sealed class MaskReader
{
    private readonly DataViewRow _row;
    private readonly string _column;
    private readonly int _count;
    private readonly ValueGetter<VBuffer<bool>>? _flags;
    private readonly ValueGetter<VBuffer<float>>? _numbers;
    private VBuffer<bool> _flagBuffer;
    private VBuffer<float> _numberBuffer;

    public MaskReader(DataViewRow row, DataViewSchema.Column column, int count)
    {
        (_row, _column, _count) = (row, column.Name, count);
        if (((VectorDataViewType)column.Type).ItemType is BooleanDataViewType)
            _flags = row.GetGetter<VBuffer<bool>>(column);
        else
            _numbers = row.GetGetter<VBuffer<float>>(column);
    }

    /// <exception cref="ArgumentException">The column is of another type or size.</exception>
    public static void Check(DataViewSchema.Column column, int count)
    {
        if (column.Type is not VectorDataViewType { ItemType: BooleanDataViewType or NumberDataViewType } vector || vector.Size != count
            || (vector.ItemType is NumberDataViewType && vector.ItemType != NumberDataViewType.Single))
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has type {column.Type}; a mask must be a Vector<Boolean> or Vector<Single> of {count} values, one for each action."));
    }

    /// <summary>Writes a 1 for each allowed action and a 0 for each other one.</summary>
    /// <exception cref="FormatException">A value is neither 0 nor 1, or no action is allowed; the message names column and row.</exception>
    public void Read(Span<float> destination)
    {
        if (_flags != null)
        {
            _flags(ref _flagBuffer);
            CheckLength(_flagBuffer.Length);
            for (var i = 0; i < _count; i++)
                destination[i] = _flagBuffer.GetItemOrDefault(i) ? 1 : 0;
        }
        else
        {
            _numbers!(ref _numberBuffer);
            CheckLength(_numberBuffer.Length);
            _numberBuffer.CopyTo(destination);
            var wrong = destination[.._count].IndexOfAnyExcept(0f, 1f);
            if (wrong >= 0)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{_column}', {RowName.Of(_row.Position)}, slot {wrong}: the value is {destination[wrong]}; a mask has 1 where an action is allowed and 0 where it is not."));
        }
        if (!destination[.._count].Contains(1f))
            throw new FormatException($"Column '{_column}', {RowName.Of(_row.Position)}: the mask allows no action.");
    }

    private void CheckLength(int length)
    {
        if (length != _count)
            throw new FormatException(FormattableString.Invariant($"Column '{_column}', {RowName.Of(_row.Position)}: the mask has {length} values; there are {_count} actions."));
    }
}
