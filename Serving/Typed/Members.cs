using System.Reflection;
using Microsoft.ML.Data;

namespace MLExtensions.Serving.Typed;

/// <summary>The properties and fields of a class of rows or answers.</summary>
internal static class Members
{
    /// <summary>The public ones, by the names of their columns, as ML.NET names them.</summary>
    public static IReadOnlyDictionary<string, MemberInfo> Of(Type type) => type.GetMembers(BindingFlags.Public | BindingFlags.Instance)
        .Where(member => member is FieldInfo or PropertyInfo { CanRead: true } && member.GetCustomAttribute<NoColumnAttribute>() == null)
        .ToDictionary(NameOf, StringComparer.Ordinal);

    /// <summary>The type of its value.</summary>
    public static Type TypeOf(MemberInfo member) => member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;

    private static string NameOf(MemberInfo member) => member.CustomAttributes
        .FirstOrDefault(attribute => attribute.AttributeType == typeof(ColumnNameAttribute))?.ConstructorArguments.FirstOrDefault().Value as string ?? member.Name;
}
