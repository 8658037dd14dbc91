using System.Buffers.Binary;
using System.Security.Cryptography;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>Writes tensors as a safetensors file, with checksums in its metadata.</summary>
internal static class SafeTensorsWriter
{
    private const int Alignment = 8;

    /// <summary>Writes tensors from any device. The same content gives the same bytes.</summary>
    /// <param name="stream">The stream. It need not be seekable and is left open.</param>
    /// <param name="tensors">The tensors, in any order. They must not change while they are written.</param>
    /// <param name="metadata">Additional strings for the header.</param>
    /// <exception cref="ArgumentException">A name is duplicate or reserved, or a type is not supported by the format.</exception>
    public static void Write(Stream stream, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var byName = new SortedDictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in tensors)
        {
            CheckTensor(name, tensor);
            if (!byName.TryAdd(name, tensor))
                throw new ArgumentException($"Two tensors have the name '{name}'; names must be unique.", nameof(tensors));
        }
        var entries = LayOut(byName);
        var header = Guard(entries, metadata ?? new Dictionary<string, string>(), HashData(entries, byName));
        WriteHeader(stream, header);
        foreach (var entry in header.Entries)
            ForEachPiece(byName[entry.Name], piece => stream.Write(piece));
    }

    private static void CheckTensor(string name, Tensor tensor)
    {
        if (name == SafeTensorsHeader.MetadataKey)
            throw new ArgumentException($"'{name}' is reserved and cannot be the name of a tensor.", nameof(name));
        if (!SafeTensorsTypes.Has(tensor.dtype))
            throw new ArgumentException($"Tensor '{name}' has type {tensor.dtype}; supported types are {SafeTensorsTypes.Supported}.", nameof(tensor));
    }

    /// <summary>Sorts wide elements first, so that every tensor is aligned to its element size; then by name.</summary>
    private static List<SafeTensorsEntry> LayOut(SortedDictionary<string, Tensor> tensors)
    {
        var entries = new List<SafeTensorsEntry>();
        long at = 0;
        foreach (var (name, tensor) in tensors.OrderByDescending(t => SafeTensorsTypes.SizeOf(t.Value.dtype)))
        {
            var end = at + tensor.numel() * SafeTensorsTypes.SizeOf(tensor.dtype);
            entries.Add(new SafeTensorsEntry(name, tensor.dtype, tensor.shape, at, end));
            at = end;
        }
        return entries;
    }

    private static SafeTensorsHeader Guard(List<SafeTensorsEntry> entries, IReadOnlyDictionary<string, string> metadata, string dataChecksum)
    {
        var all = new Dictionary<string, string>(metadata, StringComparer.Ordinal);
        if (!all.TryAdd(SafeTensorsHeader.DataChecksumKey, dataChecksum) || all.ContainsKey(SafeTensorsHeader.HeaderChecksumKey))
        {
            throw new ArgumentException(
                $"Metadata '{SafeTensorsHeader.DataChecksumKey}' and '{SafeTensorsHeader.HeaderChecksumKey}' are reserved for the checksums.",
                nameof(metadata));
        }
        all[SafeTensorsHeader.HeaderChecksumKey] = new SafeTensorsHeader(entries, all).Checksum();
        return new SafeTensorsHeader(entries, all);
    }

    private static string HashData(List<SafeTensorsEntry> entries, SortedDictionary<string, Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var entry in new SafeTensorsHeader(entries, new Dictionary<string, string>()).Entries)
            ForEachPiece(tensors[entry.Name], piece => hash.AppendData(piece));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void WriteHeader(Stream stream, SafeTensorsHeader header)
    {
        var json = header.ToJson();
        var padded = (json.Length + Alignment - 1) / Alignment * Alignment;
        if (padded > SafeTensorsHeader.MaxLength)
            throw new ArgumentException(FormattableString.Invariant($"The names, shapes and metadata need {padded} bytes; the format allows {SafeTensorsHeader.MaxLength}."));
        Span<byte> prefix = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, padded);
        stream.Write(prefix);
        stream.Write(json);
        Span<byte> padding = stackalloc byte[padded - json.Length];
        padding.Fill((byte)' ');
        stream.Write(padding);
    }

    private static void ForEachPiece(Tensor tensor, TensorMemory.PieceAction action)
    {
        using var scope = NewDisposeScope();
        TensorMemory.ForEachPiece(tensor.detach().cpu().contiguous(), action);
    }
}
