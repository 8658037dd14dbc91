using MLExtensions.Onnx;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Style;

/// <summary>The styles of a network, and the column that says which of them a row is to have.</summary>
/// <param name="Names">Their names.</param>
/// <param name="Column">A key of the styles, or a vector of their shares; null for the first style.</param>
internal sealed record StyleShares(IReadOnlyList<string> Names, string? Column)
{
    private const string Owner = "the styles of the model";

    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    public void Check(DataViewSchema schema)
    {
        if (Column == null)
            return;
        var column = FeatureRows.Find(schema, Column);
        if (column.Type is KeyDataViewType)
            KeyMap.Create(column, Names, Owner);
        else if (column.Type is not VectorDataViewType vector || vector.ItemType != NumberDataViewType.Single || vector.Size != Names.Count)
            throw new ArgumentException(FormattableString.Invariant($"Style column '{Column}' has type {column.Type}; it must be a key of the styles ({NameList.Of(Names)}), or a Vector<Single> of {Names.Count} shares. Add MapValueToKey to a column with their names."), nameof(schema));
    }

    /// <summary>Opens the column in a row: returns what reads the share of each style, which sum to 1.</summary>
    public Func<float[]> Open(DataViewRow row)
    {
        if (Column == null)
            return () => Only(0);
        var column = row.Schema[Column];
        return column.Type is KeyDataViewType key ? OpenKey(row, column, key) : OpenVector(row, column);
    }

    /// <summary>Writes the shares of a row as ONNX operators, <c>[rows, styles]</c>.</summary>
    public string Write(GraphWriter graph, OnnxColumns columns)
    {
        if (Column == null)
            return graph.Constant(new GraphTensor(Only(0), 1, Names.Count));
        var column = columns.Schema[Column];
        if (column.Type is KeyDataViewType)
            return graph.OneHot(columns.Places(graph, column, Names, Names.Count), Names.Count);
        var shares = columns.Floats(graph, column, Names.Count);
        return graph.Node("Div", [shares, graph.Reduce("ReduceSum", shares, keepDimensions: true, 1)]);
    }

    private Func<float[]> OpenKey(DataViewRow row, DataViewSchema.Column column, KeyDataViewType type)
    {
        var map = KeyMap.Create(column, Names, Owner);
        var getter = (ValueGetter<uint>)RowCursorUtils.GetGetterAs<uint>(new KeyDataViewType(typeof(uint), type.Count), row, column.Index);
        return () =>
        {
            uint value = 0;
            getter(ref value);
            if (value == 0)
                throw new FormatException(FormattableString.Invariant($"Style column '{Column}', {RowName.Of(row.Position)}: the value is missing; it must be one of the styles, {NameList.Of(Names)}."));
            return Only(map == null ? (int)value - 1 : map.Find((int)value - 1, row.Position));
        };
    }

    private Func<float[]> OpenVector(DataViewRow row, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<VBuffer<float>>(column);
        var buffer = default(VBuffer<float>);
        return () =>
        {
            getter(ref buffer);
            var shares = new float[Names.Count];
            buffer.CopyTo(shares);
            var sum = 0f;
            for (var slot = 0; slot < shares.Length; slot++)
            {
                if (!(shares[slot] >= 0) || float.IsInfinity(shares[slot]))
                    throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Style column '{Column}', {RowName.Of(row.Position)}, slot {slot}: the value is {shares[slot]}; the share of a style ('{Names[slot]}') must be finite and at least 0."));
                sum += shares[slot];
            }
            if (!(sum > 0) || float.IsInfinity(sum))
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Style column '{Column}', {RowName.Of(row.Position)}: the sum of the shares is {sum}; it must be finite and greater than 0."));
            return Array.ConvertAll(shares, share => share / sum);
        };
    }

    private float[] Only(int style)
    {
        var shares = new float[Names.Count];
        shares[style] = 1;
        return shares;
    }
}
