using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.VectorData.ProviderServices;

namespace MLExtensions.Galleries;

/// <summary>Keys and data of records as SQLite has them.</summary>
internal static class GalleryValue
{
    public const string KeyTypes = "string, int, long or Guid";
    public const string SupportedTypes = "string, bool, byte, short, int, long, float, double, Guid, DateTimeOffset, byte[], or null where the type allows it";

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static bool IsKey(Type type) => type == typeof(string) || type == typeof(int) || type == typeof(long) || type == typeof(Guid);

    public static bool IsSupported(Type type) => ColumnTypeOf(type) != null;

    /// <summary>The type of a column; null if there is none.</summary>
    public static string? ColumnTypeOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string) || type == typeof(Guid))
            return "TEXT";
        if (type == typeof(float) || type == typeof(double))
            return "REAL";
        if (type == typeof(byte[]))
            return "BLOB";
        return type == typeof(bool) || type == typeof(byte) || type == typeof(short) || type == typeof(int) || type == typeof(long) || type == typeof(DateTimeOffset) ? "INTEGER" : null;
    }

    /// <summary>Whether the values of a type can be put in order.</summary>
    public static bool IsOrdered(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return ColumnTypeOf(type) is "INTEGER" or "REAL" && type != typeof(bool);
    }

    /// <summary>Converts a value for SQLite.</summary>
    /// <param name="value">The value.</param>
    /// <param name="what">What it is, for messages, such as "property 'Name'".</param>
    /// <exception cref="ArgumentException">SQLite would store another value, or the type is not supported.</exception>
    public static object ToSql(object? value, string what)
    {
        switch (value)
        {
            case null:
                return DBNull.Value;
            case string text:
                CheckText(text, what);
                return text;
            case Guid guid:
                return guid.ToString("D");
            case float number when float.IsNaN(number):
            case double wide when double.IsNaN(wide):
                throw new ArgumentException($"{what} is NaN, which SQLite cannot tell from nothing. Use null where a number is missing.");
            case DateTimeOffset time:
                return time.UtcTicks;
            case bool flag:
                return flag ? 1L : 0L;
            case byte or short or int or long:
                return Convert.ToInt64(value, CultureInfo.InvariantCulture);
            case float or double:
                return Convert.ToDouble(value, CultureInfo.InvariantCulture);
            case byte[]:
                return value;
            default:
                throw new ArgumentException($"{what} has type {value.GetType().Name}; it must be {SupportedTypes}.");
        }
    }

    /// <summary>Converts a value of a record.</summary>
    /// <exception cref="ArgumentException">It cannot be stored, or a dictionary has a value of another type than the definition says.</exception>
    public static object ToSql(PropertyModel property, object? value)
    {
        var what = $"Property '{property.ModelName}'";
        if (value != null && !property.Type.IsInstanceOfType(value) && Nullable.GetUnderlyingType(property.Type)?.IsInstanceOfType(value) != true)
            throw new ArgumentException($"{what} has a value of type {value.GetType().Name}; it must be {property.Type.Name}.");
        return ToSql(value, what);
    }

    public static object? FromSql(SqliteDataReader reader, int column, Type type)
    {
        if (reader.IsDBNull(column))
            return null;
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
            return reader.GetString(column);
        if (type == typeof(Guid))
            return Guid.ParseExact(reader.GetString(column), "D");
        if (type == typeof(float))
            return (float)reader.GetDouble(column);
        if (type == typeof(double))
            return reader.GetDouble(column);
        if (type == typeof(byte[]))
            return reader.GetFieldValue<byte[]>(column);
        var number = reader.GetInt64(column);
        if (type == typeof(DateTimeOffset))
            return new DateTimeOffset(number, TimeSpan.Zero);
        return type == typeof(bool) ? number != 0 : Convert.ChangeType(number, type, CultureInfo.InvariantCulture);
    }

    private static void CheckText(string text, string what)
    {
        if (text.Contains('\0'))
            throw new ArgumentException($"{what} contains a null character, at which SQLite would cut it off.");
        try
        {
            Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException($"{what} is no valid Unicode text (half of a surrogate pair), so SQLite would change it.", e);
        }
    }
}
