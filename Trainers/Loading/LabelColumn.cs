using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Loading;

/// <summary>A label column: a key whose values are the classes.</summary>
internal static class LabelColumn
{
    public const string Name = DefaultColumnNames.Label;

    /// <summary>Classes that are called by their numbers, from 0.</summary>
    public static void AddNumbered(DataViewSchema.Builder schema, int classCount) =>
        Add(schema, NumberDataViewType.UInt32, Enumerable.Range(0, classCount).Select(value => (uint)value).ToArray());

    public static void AddNamed(DataViewSchema.Builder schema, IEnumerable<string> classNames) =>
        Add(schema, TextDataViewType.Instance, classNames.Select(name => name.AsMemory()).ToArray());

    private static void Add<T>(DataViewSchema.Builder schema, PrimitiveDataViewType type, T[] values)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        ValueGetter<VBuffer<T>> getter = (ref VBuffer<T> destination) => new VBuffer<T>(values.Length, values).CopyTo(ref destination);
        annotations.AddKeyValues(values.Length, type, getter);
        schema.AddColumn(Name, new KeyDataViewType(typeof(uint), values.Length), annotations.ToAnnotations());
    }
}
