using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using MLExtensions.Messages;

namespace MLExtensions.Persistence;

/// <summary>
/// Weights as TensorFlow.js writes them: a manifest in JSON, and files beside it with the numbers one after the other, as float32 or as
/// whole numbers q of 8 or 16 bits that stand for q * scale + min.
/// </summary>
internal sealed class WeightManifest
{
    private const int MostBytes = 1 << 24;
    private const string Single = "float32";

    private static readonly JsonSerializerOptions Options = new() { PropertyNameCaseInsensitive = true, MaxDepth = 8 };
    private static readonly Dictionary<string, int> Sizes = new() { [Single] = sizeof(float), ["uint8"] = sizeof(byte), ["uint16"] = sizeof(ushort) };

    private readonly string _path;
    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);

    private WeightManifest(string path) => _path = path;

    /// <summary>The names of the tensors in their order.</summary>
    public IEnumerable<string> Names => _places.Keys;

    /// <summary>Reads the manifest and checks how long the files beside it are; the numbers are not read yet.</summary>
    /// <exception cref="ModelFormatException">It is no manifest, a file is missing or of another length; the message names it.</exception>
    public static WeightManifest Open(string path)
    {
        var manifest = new WeightManifest(path);
        try
        {
            using var stream = File.OpenRead(path);
            var content = new EntryReader(stream, path).ReadToEnd(MostBytes);
            foreach (var group in JsonSerializer.Deserialize<Group?[]>(content, Options) ?? [])
                manifest.Add(group);
        }
        catch (Exception e) when (e is JsonException or OverflowException)
        {
            throw manifest.Fail("is no weights manifest of TensorFlow.js, a list of groups with weights and paths: " + e.Message, e);
        }
        return manifest;
    }

    /// <summary>The shape of a tensor; null if it is missing.</summary>
    public long[]? ShapeOf(string name) => _places.TryGetValue(name, out var place) ? place.Shape : null;

    /// <summary>Reads the numbers of a tensor.</summary>
    public float[] Read(string name)
    {
        var place = _places[name];
        var bytes = new byte[place.ByteCount];
        var (have, begin) = (0, 0L);
        foreach (var file in place.Files)
        {
            // The groups' files are one long row of bytes.
            var from = place.Begin + have - begin;
            if (have < bytes.Length && from < file.Length)
            {
                using var stream = File.OpenRead(file.Path);
                stream.Position = from;
                var count = (int)Math.Min(bytes.Length - have, file.Length - from);
                new EntryReader(stream, file.Path).ReadExactly(bytes.AsSpan(have, count), $"tensor '{name}'");
                have += count;
            }
            begin += file.Length;
        }
        return Decode(bytes, place);
    }

    public ModelFormatException Fail(string problem, Exception? inner = null) => new(_path, problem, inner);

    private static float[] Decode(byte[] bytes, Place place)
    {
        var values = new float[bytes.Length / Sizes[place.Type]];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = place.Type switch
            {
                Single => BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float))),
                "uint8" => (float)((bytes[i] * place.Scale) + place.Minimum),
                _ => (float)((BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(i * sizeof(ushort))) * place.Scale) + place.Minimum),
            };
        }
        return values;
    }

    private void Add(Group? group)
    {
        if (group is not { Weights: not null, Paths.Count: > 0 })
            throw Fail("has a group without weights or paths");
        var files = group.Paths.Select(Find).ToArray();
        var at = 0L;
        foreach (var entry in group.Weights)
            at = checked(at + Add(entry, at, files));
        var length = files.Sum(file => file.Length);
        if (at != length)
            throw Fail(FormattableString.Invariant($"describes {at} bytes, but {NameList.Of(group.Paths.ToList())} has {length}"));
    }

    private long Add(Entry? entry, long begin, DataFile[] files)
    {
        if (entry is not { Name: not null, Shape: not null, Dtype: not null } || entry.Shape.Any(size => size < 1))
            throw Fail($"has an entry without name, dtype or a shape of positive numbers{(entry?.Name == null ? "" : $", '{entry.Name}'")}");
        var type = entry.Quantization?.Dtype ?? entry.Dtype;
        if (entry.Dtype != Single || !Sizes.TryGetValue(type, out var size))
            throw Fail($"has tensor '{entry.Name}' of type {entry.Dtype}{(entry.Quantization == null ? "" : $" as {type}")}; it must be {Single}, which may be quantized to uint8 or uint16");
        if (entry.Quantization is { } scaled && !(double.IsFinite(scaled.Scale) && double.IsFinite(scaled.Min)))
            throw Fail($"has tensor '{entry.Name}' with a scale or minimum that is not finite");
        var count = checked(entry.Shape.Aggregate((long)size, (product, side) => checked(product * side)));
        if (count > Array.MaxLength)
            throw Fail(FormattableString.Invariant($"has tensor '{entry.Name}' of {count} bytes, more than an array can have"));
        if (!_places.TryAdd(entry.Name, new Place(type, [.. entry.Shape], entry.Quantization?.Scale ?? 1, entry.Quantization?.Min ?? 0, begin, (int)count, files)))
            throw Fail($"has tensor '{entry.Name}' twice");
        return count;
    }

    private DataFile Find(string? name)
    {
        if (string.IsNullOrEmpty(name) || Path.GetFileName(name) != name)
            throw Fail($"has the path '{name}'; it must be the name of a file beside the manifest");
        var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path))!, name);
        if (!File.Exists(path))
            throw Fail($"needs file '{name}' beside it, which does not exist");
        return new DataFile(path, new FileInfo(path).Length);
    }

    private sealed record Group(IReadOnlyList<Entry?>? Weights, IReadOnlyList<string>? Paths);

    private sealed record Entry(string? Name, IReadOnlyList<long>? Shape, string? Dtype, Scaled? Quantization);

    private sealed record Scaled(string? Dtype, double Scale, double Min);

    private sealed record DataFile(string Path, long Length);

    private sealed record Place(string Type, long[] Shape, double Scale, double Minimum, long Begin, int ByteCount, DataFile[] Files);
}
