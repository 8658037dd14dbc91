using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLExtensions.Distribution;

/// <summary>Results that travel from rank to rank as JSON.</summary>
internal sealed class MappedResults<T>
{
    private static readonly JsonSerializerOptions Format = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, IncludeFields = true };

    /// <exception cref="InvalidOperationException">What is read would not be what was written.</exception>
    public byte[] Write(T result, int item)
    {
        var name = FormattableString.Invariant($"The result of item {item}");
        try
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(result, Format);
            return JsonSerializer.SerializeToUtf8Bytes(Read(json), Format).AsSpan().SequenceEqual(json) ? json : throw Lost(name, null);
        }
        catch (Exception e) when (e is NotSupportedException or JsonException)
        {
            throw Lost(name, e);
        }
    }

    public T Read(byte[] json) => JsonSerializer.Deserialize<T>(json, Format)!;

    private static InvalidOperationException Lost(string what, Exception? inner) =>
        new($"{what} of {nameof(Distributed.Map)} cannot travel between ranks: JSON does not keep all of a {typeof(T).Name}. Return numbers, strings, arrays, or a record of them.{(inner == null ? "" : $" ({inner.Message})")}", inner);
}
