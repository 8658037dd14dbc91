using System.Linq.Expressions;
using Microsoft.Extensions.VectorData.ProviderServices;

namespace MLExtensions.Galleries;

/// <summary>
/// Translates a condition on records to SQL that means the same, nulls included: comparisons, <c>&amp;&amp;</c>, <c>||</c>, <c>!</c>, Boolean properties,
/// <c>Contains</c> of a list, and <c>StartsWith</c>, <c>EndsWith</c> and <c>Contains</c> of text.
/// </summary>
internal sealed class GalleryFilter
{
    private const string Allowed = "A gallery understands ==, !=, <, <=, >, >=, &&, ||, !, Boolean properties, list.Contains(property), and StartsWith, EndsWith and Contains of text properties";

    private static readonly Type[] Integers = [typeof(byte), typeof(short), typeof(int), typeof(long)];

    private readonly CollectionModel _model;
    private readonly ParameterExpression _record;
    private readonly List<(string Name, object Value)> _parameters = [];

    private GalleryFilter(CollectionModel model, LambdaExpression condition) => (_model, _record) = (model, condition.Parameters[0]);

    /// <exception cref="NotSupportedException">The condition has something that cannot be translated; the message shows it.</exception>
    public static (string Sql, IReadOnlyList<(string Name, object Value)> Parameters) Translate(CollectionModel model, LambdaExpression? condition)
    {
        if (condition == null)
            return ("1", []);
        var filter = new GalleryFilter(model, condition);
        return (filter.Condition(condition.Body), filter._parameters);
    }

    private string Condition(Expression expression)
    {
        expression = Unwrap(expression);
        if (!Uses(expression))
            return Evaluate(expression) is true ? "1" : "0";
        if (Property(expression) is { } flag && flag.Type == typeof(bool))
            return $"({GalleryLayout.Quote(flag)} IS 1)";
        return expression switch
        {
            BinaryExpression { NodeType: ExpressionType.AndAlso } both => $"({Condition(both.Left)} AND {Condition(both.Right)})",
            BinaryExpression { NodeType: ExpressionType.OrElse } either => $"({Condition(either.Left)} OR {Condition(either.Right)})",
            MemberExpression { Member.Name: "HasValue", Expression: { } inner } when Property(inner) is { } property => $"({GalleryLayout.Quote(property)} IS NOT NULL)",
            UnaryExpression { NodeType: ExpressionType.Not } not => $"(NOT {Condition(not.Operand)})",
            BinaryExpression comparison => Comparison(comparison),
            MethodCallExpression call => Call(call),
            _ => throw NotSupported(expression),
        };
    }

    private string Comparison(BinaryExpression comparison)
    {
        var (left, right, type) = (comparison.Left, comparison.Right, comparison.NodeType);
        if (Property(left) == null)
        {
            (left, right) = (right, left);
            type = type switch
            {
                ExpressionType.LessThan => ExpressionType.GreaterThan,
                ExpressionType.LessThanOrEqual => ExpressionType.GreaterThanOrEqual,
                ExpressionType.GreaterThan => ExpressionType.LessThan,
                ExpressionType.GreaterThanOrEqual => ExpressionType.LessThanOrEqual,
                _ => type,
            };
        }
        if (Property(left) is not { } property || (Uses(right) && Property(right) == null))
            throw NotSupported(comparison);
        var other = Property(right) is { } second ? GalleryLayout.Quote(second) : Parameter(Evaluate(right));
        // IS compares null as C# does; what is greater or less than null is neither.
        return type switch
        {
            ExpressionType.Equal or ExpressionType.NotEqual when property.Type == typeof(byte[]) && !IsNull(right) => throw NotSupported(comparison),
            ExpressionType.Equal => $"({GalleryLayout.Quote(property)} IS {other})",
            ExpressionType.NotEqual => $"({GalleryLayout.Quote(property)} IS NOT {other})",
            _ when !GalleryValue.IsOrdered(property.Type) => throw NotSupported(comparison),
            ExpressionType.LessThan => Ordered("<"),
            ExpressionType.LessThanOrEqual => Ordered("<="),
            ExpressionType.GreaterThan => Ordered(">"),
            ExpressionType.GreaterThanOrEqual => Ordered(">="),
            _ => throw NotSupported(comparison),
        };

        string Ordered(string sign) => $"COALESCE({GalleryLayout.Quote(property)} {sign} {other}, 0)";
    }

    private string Call(MethodCallExpression call)
    {
        var (target, arguments) = call.Object == null && call.Arguments.Count > 0 ? (call.Arguments[0], call.Arguments.Skip(1).ToArray()) : (call.Object, call.Arguments.ToArray());
        if (target == null || arguments is not [var argument, ..] || (arguments.Length > 1 && !IsNull(arguments[1]) && arguments[1] is not ConstantExpression { Value: StringComparison.Ordinal }))
            throw NotSupported(call);
        target = WithoutSpan(target);
        if (call.Object != null && Property(target) is { } text && text.Type == typeof(string) && !Uses(argument) && argument.Type == typeof(string))
        {
            var (column, part) = (GalleryLayout.Quote(text), Parameter(Evaluate(argument) ?? throw NotSupported(call)));
            // Unlike LIKE these know no patterns, and capitals differ from other letters.
            return call.Method.Name switch
            {
                nameof(string.StartsWith) => $"COALESCE(substr({column}, 1, length({part})) = {part}, 0)",
                nameof(string.EndsWith) => $"COALESCE(length({column}) >= length({part}) AND substr({column}, length({column}) - length({part}) + 1) = {part}, 0)",
                nameof(string.Contains) => $"COALESCE(instr({column}, {part}) > 0, 0)",
                _ => throw NotSupported(call),
            };
        }
        if (call.Method.Name == nameof(Enumerable.Contains) && !Uses(target) && Property(argument) is { } property && Evaluate(target) is System.Collections.IEnumerable items and not string)
        {
            var values = items.Cast<object?>().ToArray();
            var parameters = values.Where(value => value != null).Select(Parameter).ToArray();
            var isNull = values.Contains(null) ? $" OR {GalleryLayout.Quote(property)} IS NULL" : "";
            return $"(COALESCE({GalleryLayout.Quote(property)} IN ({string.Join(", ", parameters)}), 0){isNull})";
        }
        throw NotSupported(call);
    }

    /// <summary>The property that an expression reads of the record, by a member or by the name in a dictionary; null if it is something else.</summary>
    private PropertyModel? Property(Expression expression)
    {
        expression = Unwrap(expression);
        var name = expression switch
        {
            MemberExpression member when Unwrap(member.Expression!) == _record => member.Member.Name,
            MethodCallExpression { Method.Name: "get_Item", Object: { } target } call when target == _record && call.Arguments is [var argument] && !Uses(argument) => Evaluate(argument) as string,
            _ => null,
        };
        if (name == null)
            return null;
        return _model.PropertyMap.TryGetValue(name, out var property) && property is not VectorPropertyModel
            ? property
            : throw new NotSupportedException($"The filter reads '{name}', which is no key and no data of the collection; there are {string.Join(", ", _model.Properties.Where(known => known is not VectorPropertyModel).Select(known => known.ModelName))}.");
    }

    private string Parameter(object? value)
    {
        var name = FormattableString.Invariant($"$f{_parameters.Count}");
        try
        {
            _parameters.Add((name, GalleryValue.ToSql(value, "A value of the filter")));
        }
        catch (ArgumentException e)
        {
            throw new NotSupportedException(e.Message, e);
        }
        return name;
    }

    private static NotSupportedException NotSupported(Expression expression) => new($"The filter has '{expression}', which cannot be translated to SQL. {Allowed}.");

    private static bool IsNull(Expression expression) => expression is ConstantExpression { Value: null };

    /// <summary>Takes conversions away that do not change what SQLite compares: to object, to a nullable or a wider type.</summary>
    private static Expression Unwrap(Expression expression)
    {
        while (expression is UnaryExpression { NodeType: ExpressionType.Convert, Method: null } conversion && Keeps(conversion.Operand.Type, conversion.Type))
            expression = conversion.Operand;
        return expression is MemberExpression { Member.Name: "Value", Expression: { } inner } && Nullable.GetUnderlyingType(inner.Type) != null ? inner : expression;
    }

    private static bool Keeps(Type from, Type to)
    {
        (from, to) = (Nullable.GetUnderlyingType(from) ?? from, Nullable.GetUnderlyingType(to) ?? to);
        return to == from || from == typeof(object) || to.IsAssignableFrom(from) || (Array.IndexOf(Integers, from), Array.IndexOf(Integers, to)) is ( >= 0 and var narrow, var wide) && (wide > narrow || (to == typeof(double) && from != typeof(long)))
            || (from == typeof(float) && to == typeof(double));
    }

    /// <summary>The newest C# calls Contains of an array as that of a span.</summary>
    private static Expression WithoutSpan(Expression expression) =>
        expression is MethodCallExpression { Method.Name: "op_Implicit", Arguments: [var array] } ? Unwrap(array) : expression;

    private bool Uses(Expression expression)
    {
        var finder = new Finder(_record);
        finder.Visit(expression);
        return finder.Found;
    }

    private static object? Evaluate(Expression expression) =>
        Expression.Lambda<Func<object?>>(Expression.Convert(expression, typeof(object))).Compile(preferInterpretation: true)();

    private sealed class Finder(ParameterExpression parameter) : ExpressionVisitor
    {
        public bool Found { get; private set; }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            Found |= node == parameter;
            return node;
        }
    }
}
