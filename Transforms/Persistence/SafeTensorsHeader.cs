using MLExtensions.Messages;
using System.Buffers.Binary;
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
        return $"{name}[{NumberList.Of(shape, ",")}]";
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

/// <summary>Reads and validates a safetensors header.</summary>
internal sealed class SafeTensorsHeaderParser
{
    private const int MaxDimensions = 64;

    private readonly EntryReader _reader;
    private readonly List<SafeTensorsEntry> _entries = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafeTensorsHeaderParser(EntryReader reader) => _reader = reader;

    /// <summary>Reads the length and the header; the stream is then at the first byte of the data.</summary>
    public static SafeTensorsHeader Read(EntryReader reader)
    {
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        reader.ReadExactly(prefix, "the length of the safetensors header");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length is < 2 or > SafeTensorsHeader.MaxLength)
            throw reader.Fail(FormattableString.Invariant($"has a safetensors header of {length} bytes; 2 to {SafeTensorsHeader.MaxLength} are allowed"));
        var json = reader.ReadGrowing((int)length, "the safetensors header");
        var parser = new SafeTensorsHeaderParser(reader);
        try
        {
            parser.Parse(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException and not ModelFormatException)
        {
            throw reader.Fail("the safetensors header is not valid: " + e.Message, e);
        }
        var header = new SafeTensorsHeader(parser._entries, parser._metadata);
        CheckOffsets(reader, header);
        return header;
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        if (json[0] != '{')
            throw _reader.Fail("the safetensors header does not begin with '{'");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var cursor = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        cursor.Read();
        while (NextProperty(ref cursor, out var name))
        {
            if (!seen.Add(name))
                throw _reader.Fail($"tensor '{name}' occurs twice in the header");
            if (cursor.TokenType != JsonTokenType.StartObject)
                throw _reader.Fail($"'{name}' is not an object in the header");
            if (name == SafeTensorsHeader.MetadataKey)
                ParseMetadata(ref cursor);
            else
                ParseEntry(ref cursor, name);
        }
        // Only white space may follow; the JSON reader throws for anything else.
        cursor.Read();
    }

    /// <summary>Moves to the value of the next property, or to the end of the object.</summary>
    private static bool NextProperty(ref Utf8JsonReader cursor, out string name)
    {
        cursor.Read();
        if (cursor.TokenType != JsonTokenType.PropertyName)
        {
            name = "";
            return false;
        }
        name = cursor.GetString()!;
        cursor.Read();
        return true;
    }

    private void ParseMetadata(ref Utf8JsonReader cursor)
    {
        while (NextProperty(ref cursor, out var key))
        {
            if (cursor.TokenType != JsonTokenType.String || !_metadata.TryAdd(key, cursor.GetString()!))
                throw _reader.Fail($"metadata '{key}' occurs twice or is not a string");
        }
    }

    private void ParseEntry(ref Utf8JsonReader cursor, string name)
    {
        string? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        while (NextProperty(ref cursor, out var field))
        {
            switch (field)
            {
                case "dtype" when type is null:
                    type = cursor.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ParseNumbers(ref cursor, name, field, MaxDimensions);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ParseNumbers(ref cursor, name, field, 2);
                    break;
                default:
                    throw _reader.Fail($"tensor '{name}' has a duplicate or unknown field '{field}'; only dtype, shape and data_offsets are allowed");
            }
        }
        if (type is null || shape is null || offsets is not { Count: 2 })
            throw _reader.Fail($"tensor '{name}' lacks its dtype, shape or data_offsets");
        var scalarType = SafeTensorsTypes.Find(type)
            ?? throw _reader.Fail($"tensor '{name}' has type '{type}'; supported types are {SafeTensorsTypes.Supported}");
        var bytes = ByteCount(name, scalarType, shape);
        if (offsets[1] < offsets[0] || offsets[1] - offsets[0] != bytes)
        {
            throw _reader.Fail(
                FormattableString.Invariant($"tensor '{name}' is {SafeTensorsEntry.Describe(scalarType, shape)}, {bytes} bytes, but spans bytes {offsets[0]} to {offsets[1]}"));
        }
        _entries.Add(new SafeTensorsEntry(name, scalarType, shape, offsets[0], offsets[1]));
    }

    private List<long> ParseNumbers(ref Utf8JsonReader cursor, string name, string field, int limit)
    {
        if (cursor.TokenType != JsonTokenType.StartArray)
            throw _reader.Fail($"{field} of tensor '{name}' is not an array");
        var numbers = new List<long>();
        while (cursor.Read() && cursor.TokenType != JsonTokenType.EndArray)
        {
            if (cursor.TokenType != JsonTokenType.Number || !cursor.TryGetInt64(out var number) || number < 0)
                throw _reader.Fail(FormattableString.Invariant($"{field} of tensor '{name}' contains something other than whole numbers from 0 to {long.MaxValue}"));
            if (numbers.Count == limit)
                throw _reader.Fail(FormattableString.Invariant($"{field} of tensor '{name}' has more than {limit} numbers"));
            numbers.Add(number);
        }
        return numbers;
    }

    private long ByteCount(string name, ScalarType type, List<long> shape)
    {
        try
        {
            // Strides are products too, even of empty tensors, so a dimension of 0 must not hide an overflow.
            long extent = SafeTensorsTypes.SizeOf(type);
            foreach (var dimension in shape)
                extent = checked(extent * Math.Max(1, dimension));
            return shape.Contains(0) ? 0 : extent;
        }
        catch (OverflowException e)
        {
            throw _reader.Fail($"tensor '{name}' has the impossible shape {SafeTensorsEntry.Describe(type, shape)}", e);
        }
    }

    private static void CheckOffsets(EntryReader reader, SafeTensorsHeader header)
    {
        long at = 0;
        foreach (var entry in header.Entries)
        {
            if (entry.Begin != at)
                throw reader.Fail(FormattableString.Invariant($"tensor '{entry.Name}' begins at byte {entry.Begin} of the data instead of {at}: there is a gap or an overlap"));
            at = entry.End;
        }
        if (reader.Remaining is { } remaining && remaining != at)
            throw reader.Fail(FormattableString.Invariant($"has {remaining} bytes of data, but its header describes {at}"));
    }
}
