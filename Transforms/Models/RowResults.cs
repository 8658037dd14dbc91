using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Models;

/// <summary>What takes long to compute of a row is computed once, however often it is asked for.</summary>
/// <param name="row">The row.</param>
/// <param name="compute">Computes it for the current position.</param>
internal sealed class OncePerRow<T>(DataViewRow row, Func<T> compute)
    where T : class
{
    private long _position = -1;
    private T? _value;

    public T Value
    {
        get
        {
            // A row without a position, as that of a prediction engine, changes without notice.
            if (_value == null || _position != row.Position || row.Position < 0)
                (_value, _position) = (compute(), row.Position);
            return _value;
        }
    }
}

/// <summary>A column that is read from the result of a row.</summary>
internal interface IResultColumn<TResult>
{
    DataViewSchema.DetachedColumn Column { get; }

    Delegate CreateGetter(Func<TResult> current);
}

/// <summary>A column of one value.</summary>
internal sealed record ValueColumn<TResult, T>(string Name, DataViewType Type, Func<TResult, T> Read) : IResultColumn<TResult>
{
    public DataViewSchema.DetachedColumn Column => new(Name, Type);

    public Delegate CreateGetter(Func<TResult> current)
    {
        ValueGetter<T> getter = (ref T value) => value = Read(current());
        return getter;
    }
}

/// <summary>A column of vectors.</summary>
internal sealed record VectorColumn<TResult, T>(string Name, PrimitiveDataViewType Item, int Count, Func<TResult, T[]> Read) : IResultColumn<TResult>
{
    public DataViewSchema.DetachedColumn Column => new(Name, new VectorDataViewType(Item, Count));

    public Delegate CreateGetter(Func<TResult> current)
    {
        ValueGetter<VBuffer<T>> getter = (ref VBuffer<T> value) =>
        {
            var editor = VBufferEditor.Create(ref value, Count);
            Read(current()).CopyTo(editor.Values);
            value = editor.Commit();
        };
        return getter;
    }
}
