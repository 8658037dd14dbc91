using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>
/// The header of a safetensors file: the tensors in the order of their data, and a dictionary of strings. Format:
/// https://github.com/huggingface/safetensors#format.
/// </summary>
/// <remarks>
/// Two additional metadata entries protect the file: <see cref="DataChecksumKey"/> over the data section and
/// <see cref="HeaderChecksumKey"/> over the names, types, shapes, offsets and all other metadata.
/// </remarks>
internal sealed class SafeTensorsHeader
{
    public const string MetadataKey = "__metadata__";
    public const string DataChecksumKey = "sha256";
    public const string HeaderChecksumKey = "header_sha256";

    /// <summary>The limit of the reference implementation.</summary>
    public const int MaxLength = 100_000_000;

    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public SafeTensorsHeader(IEnumerable<SafeTensorsEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        Entries = [.. entries.OrderBy(e => e.Begin).ThenBy(e => e.End).ThenBy(e => e.Name, StringComparer.Ordinal)];
        Metadata = metadata;
    }

    public IReadOnlyList<SafeTensorsEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    public long DataLength => Entries.Count == 0 ? 0 : Entries[^1].End;

    /// <summary>Returns the header as JSON. Equal headers give the same bytes.</summary>
    public byte[] ToJson() => ToJson(Metadata);

    /// <summary>The SHA-256, in hexadecimal, of everything in the header except this checksum itself.</summary>
    public string Checksum()
    {
        var others = Metadata.Where(m => m.Key != HeaderChecksumKey).ToDictionary();
        return Convert.ToHexStringLower(SHA256.HashData(ToJson(others)));
    }

    private byte[] ToJson(IReadOnlyDictionary<string, string> metadata)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonOptions))
        {
            json.WriteStartObject();
            WriteMetadata(json, metadata);
            foreach (var entry in Entries)
                WriteEntry(json, entry);
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.Count == 0)
            return;
        json.WriteStartObject(MetadataKey);
        foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteEntry(Utf8JsonWriter json, SafeTensorsEntry entry)
    {
        json.WriteStartObject(entry.Name);
        json.WriteString("dtype", SafeTensorsTypes.NameOf(entry.Type));
        WriteNumbers(json, "shape", entry.Shape);
        WriteNumbers(json, "data_offsets", [entry.Begin, entry.End]);
        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}

/// <summary>A tensor as a safetensors header describes it.</summary>
/// <param name="Begin">First byte, counted from the start of the data section.</param>
/// <param name="End">The end, exclusive.</param>
internal sealed record SafeTensorsEntry(string Name, ScalarType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    public long ByteCount => End - Begin;

    public string Description => Describe(Type, Shape);

    public static string Describe(ScalarType type, IEnumerable<long> shape)
    {
        var name = SafeTensorsTypes.Has(type) ? SafeTensorsTypes.NameOf(type) : type.ToString();
        return $"{name}[{string.Join(',', shape)}]";
    }
}

/// <summary>The element types of safetensors files that torch supports.</summary>
internal static class SafeTensorsTypes
{
    private static readonly (string Name, ScalarType Type, int Size)[] All =
    [
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    public static string Supported { get; } = string.Join(", ", All.Select(t => t.Name));

    public static ScalarType? Find(string name)
    {
        var index = Array.FindIndex(All, t => t.Name == name);
        return index < 0 ? null : All[index].Type;
    }

    public static bool Has(ScalarType type) => Array.Exists(All, t => t.Type == type);

    public static string NameOf(ScalarType type) => Array.Find(All, t => t.Type == type).Name;

    public static int SizeOf(ScalarType type) => Array.Find(All, t => t.Type == type).Size;
}
