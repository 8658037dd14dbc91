using System.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Serving.Blocks;

/// <summary>A column that is answered.</summary>
internal abstract class AnswerColumn(DataViewSchema.Column column, Type itemType, bool isKey)
{
    /// <summary>What is said of it.</summary>
    public ModelColumn Description { get; } = new(column, itemType, isKey);

    protected DataViewSchema.Column Column => column;

    /// <summary>Describes a column of a model's output.</summary>
    /// <exception cref="NotSupportedException">Its type cannot be answered; the message names it.</exception>
    public static AnswerColumn Of(DataViewSchema.Column column)
    {
        var item = (column.Type as VectorDataViewType)?.ItemType ?? column.Type;
        if (item is TextDataViewType)
            return new AnswerColumn<ReadOnlyMemory<char>, string>(column, text => text.ToString());
        if (item is ImageDataViewType)
            return new AnswerColumn<MLImage, byte[]>(column, image => image == null ? [] : ImageFile.EncodePng(image));
        if (item is KeyDataViewType && KeyValues.Of(column) is { } names)
            return (AnswerColumn)Generic(nameof(OfKeys)).MakeGenericMethod(item.RawType, names.GetType().GetElementType()!).Invoke(null, [column, names])!;
        if (item is KeyDataViewType or BooleanDataViewType or NumberDataViewType && item != RowIdDataViewType.Instance)
            return (AnswerColumn)Generic(nameof(OfNumbers)).MakeGenericMethod(item.RawType).Invoke(null, [column])!;
        throw new NotSupportedException($"Output column '{column.Name}' has type {column.Type}; numbers, Booleans, texts, keys and images can be answered, alone or in vectors. Name other ones in {nameof(BatchedPredictorOptions.OutputColumns)}.");
    }

    /// <summary>Starts to read the column.</summary>
    public abstract AnswerReader Open(DataViewRow row);

    private static System.Reflection.MethodInfo Generic(string name) => typeof(AnswerColumn).GetMethod(name, System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!;

    private static AnswerColumn OfNumbers<T>(DataViewSchema.Column column) => new AnswerColumn<T, T>(column, value => value);

    private static AnswerColumn OfKeys<TRaw, T>(DataViewSchema.Column column, T[] names)
        where TRaw : INumberBase<TRaw> => new AnswerColumn<TRaw, T>(
            column,
            key => int.CreateSaturating(key) is var number && number > 0 && number <= names.Length ? names[number - 1] : default!, // 0 is a missing key
            isKey: true);
}

/// <summary>Reads a column for one request after the other.</summary>
internal abstract class AnswerReader
{
    /// <summary>Begins the answer of a request.</summary>
    public abstract void Begin(int rows);

    /// <summary>Adds the current row.</summary>
    public abstract void Add();

    /// <summary>The answer.</summary>
    public abstract ColumnData End();
}

/// <summary>A column of values that are computed as one type and answered as another one, or the same.</summary>
internal sealed class AnswerColumn<TRaw, T>(DataViewSchema.Column column, Func<TRaw, T> convert, bool isKey = false) : AnswerColumn(column, typeof(T), isKey)
{
    public override AnswerReader Open(DataViewRow row) =>
        Column.Type is VectorDataViewType ? new OfVectors(this, row.GetGetter<VBuffer<TRaw>>(Column), convert) : new OfValues(this, row.GetGetter<TRaw>(Column), convert);

    private ColumnData<T> Create(T[] values, int[]? lengths) => new(Column.Name, values, lengths, Description.RowShape);

    private sealed class OfValues(AnswerColumn<TRaw, T> column, ValueGetter<TRaw> get, Func<TRaw, T> convert) : AnswerReader
    {
        private T[] _values = [];
        private TRaw _value = default!;
        private int _count;

        public override void Begin(int rows) => (_values, _count) = (new T[rows], 0);

        public override void Add()
        {
            get(ref _value);
            _values[_count++] = convert(_value);
        }

        public override ColumnData End() => column.Create(_values, null);
    }

    private sealed class OfVectors(AnswerColumn<TRaw, T> column, ValueGetter<VBuffer<TRaw>> get, Func<TRaw, T> convert) : AnswerReader
    {
        private readonly int? _length = column.Description.RowLength;
        private VBuffer<TRaw> _value;
        private T[] _values = [];
        private int[]? _lengths;
        private int _count;
        private int _row;

        public override void Begin(int rows)
        {
            (_count, _row) = (0, 0);
            _values = _length is { } length ? new T[checked(rows * length)] : [];
            _lengths = _length == null ? new int[rows] : null;
        }

        public override void Add()
        {
            get(ref _value);
            if (_lengths is { } lengths)
            {
                lengths[_row++] = _value.Length;
                if (_values.Length < _count + _value.Length)
                    Array.Resize(ref _values, Math.Max(_values.Length * 2, _count + _value.Length));
            }
            if (_values is TRaw[] same)
            {
                _value.CopyTo(same.AsSpan(_count, _value.Length));
            }
            else
            {
                var at = _count;
                foreach (var value in _value.DenseValues())
                    _values[at++] = convert(value);
            }
            _count += _value.Length;
        }

        public override ColumnData End()
        {
            if (_lengths != null)
                Array.Resize(ref _values, _count);
            return column.Create(_values, _lengths);
        }
    }
}
