using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLExtensions.Models;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>
/// Reads a safetensors file from a stream, once. Names, types, shapes, length and checksums (if the file has them) are verified.
/// </summary>
internal sealed class SafeTensorsReader
{
    private const long FirstElements = 1 << 20;

    private readonly EntryReader _reader;
    private bool _consumed;

    private SafeTensorsReader(EntryReader reader, SafeTensorsHeader header)
    {
        _reader = reader;
        Header = header;
    }

    public SafeTensorsHeader Header { get; }

    /// <summary>Reads and checks the header.</summary>
    /// <param name="stream">The stream at the first byte of the file. The file must end where the stream ends.</param>
    /// <param name="entryName">The name of the file in error messages.</param>
    /// <param name="requireChecksum">Whether a file without checksums (from another program) is rejected.</param>
    /// <exception cref="ModelFormatException">The header is damaged or invalid.</exception>
    public static SafeTensorsReader Open(Stream stream, string entryName, bool requireChecksum = false)
    {
        var reader = new EntryReader(stream, entryName);
        var header = SafeTensorsHeaderParser.Read(reader);
        CheckHeaderChecksum(reader, header, requireChecksum);
        return new SafeTensorsReader(reader, header);
    }

    /// <summary>Copies the tensors of the file into existing ones on any device: all of them, or none if anything is wrong.</summary>
    /// <param name="targets">The target tensors, with exactly the names, types and shapes of the file.</param>
    /// <exception cref="ModelFormatException">The file does not match the targets or is damaged.</exception>
    public void LoadInto(IReadOnlyDictionary<string, Tensor> targets)
    {
        CheckTargets(targets);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var loaded = ReadTensors(believeSizes: true);
        foreach (var (name, tensor) in loaded)
            targets[name].copy_(tensor);
    }

    /// <summary>Reads all tensors into new CPU tensors, which belong to the caller.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public Dictionary<string, Tensor> ReadAll()
    {
        using var scope = NewDisposeScope();
        var loaded = ReadTensors(believeSizes: _reader.Remaining is not null);
        foreach (var tensor in loaded.Values)
            tensor.MoveToOuterDisposeScope();
        return loaded;
    }

    /// <summary>Returns the tensors one by one; each is freed before the next is read. Damage may be found only at the end.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public void ReadEach(Action<string, Tensor> take)
    {
        ReadInTurn(believeSizes: _reader.Remaining is not null, (name, tensor) =>
        {
            using var scope = NewDisposeScope();
            take(name, tensor);
            tensor.Dispose();
        });
    }

    /// <summary>Whether <see cref="ReadStored"/> can hold the tensors.</summary>
    public bool CanBeStored => Header.Entries.All(entry => entry.ByteCount < int.MaxValue);

    /// <summary>Reads all tensors into plain memory, without libtorch. Memory grows with the bytes that arrive.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public IReadOnlyDictionary<string, StoredTensor> ReadStored()
    {
        var tensors = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        ReadInTurn((entry, hash) => tensors.Add(entry.Name, new StoredTensor(entry.Type, [.. entry.Shape], ReadArray(entry, hash))));
        return tensors;
    }

    private static void CheckHeaderChecksum(EntryReader reader, SafeTensorsHeader header, bool required)
    {
        foreach (var key in (string[])[SafeTensorsHeader.DataChecksumKey, SafeTensorsHeader.HeaderChecksumKey])
        {
            if (required && !header.Metadata.ContainsKey(key))
                throw reader.Fail($"has no checksum '{key}' in its metadata; it is damaged or was written by another program");
        }
        if (header.Metadata.TryGetValue(SafeTensorsHeader.HeaderChecksumKey, out var expected) && expected != header.Checksum())
            throw reader.Fail("the checksum of its header does not match; the file is damaged or was edited");
    }

    private void CheckTargets(IReadOnlyDictionary<string, Tensor> targets) =>
        SafeTensorsTargets.Check(Header.Entries.Select(entry => (entry.Name, entry.Type, entry.Shape)).ToArray(), targets, problem => _reader.Fail(problem));

    private Dictionary<string, Tensor> ReadTensors(bool believeSizes)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        ReadInTurn(believeSizes, tensors.Add);
        return tensors;
    }

    private void ReadInTurn(bool believeSizes, Action<string, Tensor> take) => ReadInTurn((entry, hash) => take(entry.Name, ReadTensor(entry, hash, believeSizes)));

    private void ReadInTurn(Action<SafeTensorsEntry, IncrementalHash> read)
    {
        if (_consumed)
            throw new InvalidOperationException($"The tensors of {_reader.EntryName} have already been read.");
        _consumed = true;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var entry in Header.Entries)
            read(entry, hash);
        _reader.ExpectEnd();
        var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (Header.Metadata.TryGetValue(SafeTensorsHeader.DataChecksumKey, out var expected) && expected != actual)
            throw _reader.Fail("the checksum of its data does not match; the file is damaged or was edited");
    }

    /// <summary>Reads one tensor. Memory grows with the bytes that arrive, unless its size is known to be right.</summary>
    private Tensor ReadTensor(SafeTensorsEntry entry, IncrementalHash hash, bool believeSize)
    {
        using var scope = NewDisposeScope();
        var count = entry.ByteCount / SafeTensorsTypes.SizeOf(entry.Type);
        var buffer = empty(believeSize ? count : Math.Min(count, FirstElements), entry.Type, CPU);
        long have = 0;
        while (true)
        {
            TensorMemory.ForEachPiece(buffer, piece => ReadPiece(entry, piece, hash), first: have);
            have = buffer.shape[0];
            if (have == count)
                return buffer.reshape([.. entry.Shape]).MoveToOuterDisposeScope();
            buffer = Grow(buffer, Math.Min(count, 2 * have));
        }
    }

    private Array ReadArray(SafeTensorsEntry entry, IncrementalHash hash)
    {
        if (entry.Type != ScalarType.Float32)
            return ReadArray<byte>(entry, hash, sizeof(byte));
        return ReadArray<float>(entry, hash, sizeof(float));
    }

    private T[] ReadArray<T>(SafeTensorsEntry entry, IncrementalHash hash, int size)
        where T : unmanaged
    {
        var count = entry.ByteCount / size;
        var values = new T[Math.Min(count, FirstElements)];
        for (var have = 0; ; Array.Resize(ref values, (int)Math.Min(count, 2L * have)))
        {
            ReadPiece(entry, MemoryMarshal.AsBytes(values.AsSpan(have)), hash);
            have = values.Length;
            if (have == count)
                return values;
        }
    }

    private void ReadPiece(SafeTensorsEntry entry, Span<byte> piece, IncrementalHash hash)
    {
        _reader.ReadExactly(piece, $"tensor '{entry.Name}'");
        if (entry.Type == ScalarType.Bool && piece.ContainsAnyExceptInRange((byte)0, (byte)1))
            throw _reader.Fail($"tensor '{entry.Name}' has Boolean values other than 0 and 1");
        hash.AppendData(piece);
    }

    private static Tensor Grow(Tensor buffer, long count)
    {
        var grown = empty(count, buffer.dtype, CPU);
        using var start = grown.narrow(0, 0, buffer.shape[0]);
        start.copy_(buffer);
        buffer.Dispose();
        return grown;
    }
}
