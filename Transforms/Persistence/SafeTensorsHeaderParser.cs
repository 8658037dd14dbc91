using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace MLExtensions.Persistence;

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
            throw reader.Fail($"has a safetensors header of {length} bytes; 2 to {SafeTensorsHeader.MaxLength} are allowed");
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
                $"tensor '{name}' is {SafeTensorsEntry.Describe(scalarType, shape)}, {bytes} bytes, but spans bytes {offsets[0]} to {offsets[1]}");
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
                throw _reader.Fail($"{field} of tensor '{name}' contains something other than whole numbers from 0 to {long.MaxValue}");
            if (numbers.Count == limit)
                throw _reader.Fail($"{field} of tensor '{name}' has more than {limit} numbers");
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
                throw reader.Fail($"tensor '{entry.Name}' begins at byte {entry.Begin} of the data instead of {at}: there is a gap or an overlap");
            at = entry.End;
        }
        if (reader.Remaining is { } remaining && remaining != at)
            throw reader.Fail($"has {remaining} bytes of data, but its header describes {at}");
    }
}
