using System.Linq.Expressions;
using System.Reflection;
using MLExtensions.Messages;
using MLExtensions.Serving.Models;

namespace MLExtensions.Serving.Typed;

/// <summary>Writes columns into objects.</summary>
internal sealed class TypedAnswers<TAnswer>
    where TAnswer : class, new()
{
    private readonly (int Place, Action<ColumnData, TAnswer[]> Write)[] _columns;

    private TypedAnswers(ServedModel model)
    {
        var places = model.Outputs.Index().ToDictionary(output => output.Item.Name, output => output.Index, StringComparer.Ordinal);
        _columns = [.. Members.Of(typeof(TAnswer)).Select(member => places.TryGetValue(member.Key, out var place)
            ? (place, Bind(model.Outputs[place], member.Value))
            : throw new InvalidOperationException($"{typeof(TAnswer).Name} has the property '{member.Key}', which the model does not answer.{NearestName.Suggest(member.Key, places.Keys)} It answers {NameList.Of([.. places.Keys])}; {nameof(BatchedPredictorOptions)}.{nameof(BatchedPredictorOptions.OutputColumns)} can name others."))];
    }

    /// <exception cref="InvalidOperationException">The class does not fit the model; the message says why.</exception>
    public static TypedAnswers<TAnswer> For(ServedModel model) => (TypedAnswers<TAnswer>)model.Bindings.GetOrAdd(typeof(TypedAnswers<TAnswer>), _ => new TypedAnswers<TAnswer>(model));

    public TAnswer[] Read(IReadOnlyList<ColumnData> columns, int rows)
    {
        var answers = new TAnswer[rows];
        for (var i = 0; i < rows; i++)
            answers[i] = new TAnswer();
        foreach (var (place, write) in _columns)
            write(columns[place], answers);
        return answers;
    }

    private static Action<ColumnData, TAnswer[]> Bind(ModelColumn column, MemberInfo member)
    {
        var type = Members.TypeOf(member);
        var needed = column.RowShape.Count > 0 ? column.ItemType.MakeArrayType() : column.ItemType;
        if (type != needed)
            throw new InvalidOperationException($"{typeof(TAnswer).Name}.{member.Name} is {type.Name}; the model answers {column}, which is {needed.Name}.");
        var answer = Expression.Parameter(typeof(TAnswer));
        var value = Expression.Parameter(type);
        var setter = Expression.Lambda(typeof(Action<,>).MakeGenericType(typeof(TAnswer), type), Expression.Assign(Expression.MakeMemberAccess(answer, member), value), answer, value).Compile();
        return (Action<ColumnData, TAnswer[]>)typeof(TypedAnswers<TAnswer>)
            .GetMethod(column.RowShape.Count > 0 ? nameof(Vectors) : nameof(Values), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(column.ItemType).Invoke(null, [setter])!;
    }

    private static Action<ColumnData, TAnswer[]> Values<T>(Action<TAnswer, T> set) => (column, answers) =>
    {
        var values = ((ColumnData<T>)column).Values.Span;
        for (var i = 0; i < answers.Length; i++)
            set(answers[i], values[i]);
    };

    private static Action<ColumnData, TAnswer[]> Vectors<T>(Action<TAnswer, T[]> set) => (column, answers) =>
    {
        var rest = ((ColumnData<T>)column).Values.Span;
        for (var i = 0; i < answers.Length; i++)
        {
            var length = column.Lengths?[i] ?? column.Count / answers.Length;
            set(answers[i], rest[..length].ToArray());
            rest = rest[length..];
        }
    };
}
