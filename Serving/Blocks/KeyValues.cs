using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Serving.Blocks;

/// <summary>What the keys of a column stand for, and the names of classes.</summary>
internal static class KeyValues
{
    private const string Keys = "KeyValues";
    private const string Slots = "SlotNames";
    private const string Classes = "TrainingLabelValues";

    /// <summary>The values in key order, texts as <see langword="string"/>; null if the column does not say.</summary>
    public static Array? Of(DataViewSchema.Column column) => Find(column, Keys);

    /// <summary>The values of keys in key order, or the names of a vector's slots, such as those of the classes of a score; empty if the column does not say.</summary>
    public static IReadOnlyList<string> NamesOf(DataViewSchema.Column column) =>
        [.. (Of(column) ?? Find(column, Slots) ?? Find(column, Classes))?.Cast<object?>().Select(value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "") ?? []];

    private static Array? Find(DataViewSchema.Column column, string kind)
    {
        if (column.Annotations.Schema.GetColumnOrNull(kind) is not { Type: VectorDataViewType { ItemType: TextDataViewType or NumberDataViewType or BooleanDataViewType } type })
            return null;
        if (type.ItemType is TextDataViewType)
            return Array.ConvertAll(Read<ReadOnlyMemory<char>>(column, kind), text => text.ToString());
        return (Array)new Func<DataViewSchema.Column, string, int[]>(Read<int>).Method.GetGenericMethodDefinition().MakeGenericMethod(type.ItemType.RawType).Invoke(null, [column, kind])!;
    }

    private static T[] Read<T>(DataViewSchema.Column column, string kind)
    {
        var values = default(VBuffer<T>);
        column.Annotations.GetValue(kind, ref values);
        return [.. values.DenseValues()];
    }
}
