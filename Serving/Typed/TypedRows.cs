using System.Linq.Expressions;
using System.Reflection;
using MLExtensions.Messages;
using MLExtensions.Serving.Blocks;
using MLExtensions.Serving.Models;
using Microsoft.ML.Data;

namespace MLExtensions.Serving.Typed;

/// <summary>Reads columns out of objects.</summary>
internal sealed class TypedRows<TRow>
    where TRow : class
{
    private readonly IReadOnlyList<Func<IReadOnlyList<TRow>, ColumnData>> _columns;

    private TypedRows(ServedModel model)
    {
        var members = Members.Of(typeof(TRow));
        _columns = [.. model.Inputs.Select(input => Bind(input.Description, members))];
    }

    /// <exception cref="InvalidOperationException">The class does not fit the model; the message says why.</exception>
    public static TypedRows<TRow> For(ServedModel model) => (TypedRows<TRow>)model.Bindings.GetOrAdd(typeof(TypedRows<TRow>), _ => new TypedRows<TRow>(model));

    public IReadOnlyList<ColumnData> Columns(IReadOnlyList<TRow> rows) => [.. _columns.Select(column => column(rows))];

    private static Func<IReadOnlyList<TRow>, ColumnData> Bind(ModelColumn column, IReadOnlyDictionary<string, MemberInfo> members)
    {
        if (!members.TryGetValue(column.Name, out var member))
            throw new InvalidOperationException($"{typeof(TRow).Name} has no property '{column.Name}', which the model needs.{NearestName.Suggest(column.Name, members.Keys)}");
        var type = Members.TypeOf(member);
        var isVector = column.RowShape.Count > 0;
        var item = !isVector ? type : type.IsArray ? type.GetElementType()! : null;
        var fits = item == column.ItemType || (column.ItemType == typeof(string) && item == typeof(ReadOnlyMemory<char>)) || (column.ItemType == typeof(byte[]) && item == typeof(MLImage));
        if (item == null || !fits)
            throw new InvalidOperationException($"{typeof(TRow).Name}.{member.Name} is {type.Name}; the model needs {column}.");
        var parameter = Expression.Parameter(typeof(TRow));
        var getter = Expression.Lambda(Expression.MakeMemberAccess(parameter, member), parameter).Compile();
        return (Func<IReadOnlyList<TRow>, ColumnData>)typeof(TypedRows<TRow>)
            .GetMethod(isVector ? nameof(Vectors) : nameof(Values), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(item).Invoke(null, [column, getter])!;
    }

    private static Func<IReadOnlyList<TRow>, ColumnData> Values<T>(ModelColumn column, Func<TRow, T> get) => rows =>
    {
        var values = new T[rows.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = get(rows[i]);
        return ColumnData.Of(column.Name, values);
    };

    private static Func<IReadOnlyList<TRow>, ColumnData> Vectors<T>(ModelColumn column, Func<TRow, T[]?> get) => rows =>
    {
        if (rows.Count == 1 && column.RowLength is { } length && get(rows[0]) is { } only && only.Length == length)
            return ColumnData.Of(column.Name, only);
        var vectors = new T[rows.Count][];
        for (var i = 0; i < vectors.Length; i++)
        {
            vectors[i] = get(rows[i]) ?? throw new ArgumentException($"{typeof(TRow).Name}.{column.Name} of {RowName.Of(i)} is null.");
            if (column.RowLength is { } needed && vectors[i].Length != needed)
                throw new ArgumentException(FormattableString.Invariant($"{typeof(TRow).Name}.{column.Name} of {RowName.Of(i)} has {vectors[i].Length} values; there must be {needed}."));
        }
        T[] values = [.. vectors.SelectMany(vector => vector)];
        return column.RowLength != null ? ColumnData.Of(column.Name, values) : ColumnData.Of<T>(column.Name, values, [.. vectors.Select(vector => vector.Length)]);
    };
}
