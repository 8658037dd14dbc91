using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Serving.Blocks;

/// <summary>What the keys of a column stand for.</summary>
internal static class KeyValues
{
    /// <summary>The values in key order, texts as <see langword="string"/>; null if the column does not say.</summary>
    public static Array? Of(DataViewSchema.Column column)
    {
        const string Kind = "KeyValues";
        if (column.Annotations.Schema.GetColumnOrNull(Kind) is not { Type: VectorDataViewType { ItemType: TextDataViewType or NumberDataViewType or BooleanDataViewType } type })
            return null;
        if (type.ItemType is TextDataViewType)
            return Array.ConvertAll(Read<ReadOnlyMemory<char>>(column, Kind), text => text.ToString());
        return (Array)new Func<DataViewSchema.Column, string, int[]>(Read<int>).Method.GetGenericMethodDefinition().MakeGenericMethod(type.ItemType.RawType).Invoke(null, [column, Kind])!;
    }

    private static T[] Read<T>(DataViewSchema.Column column, string kind)
    {
        var values = default(VBuffer<T>);
        column.Annotations.GetValue(kind, ref values);
        return [.. values.DenseValues()];
    }
}
