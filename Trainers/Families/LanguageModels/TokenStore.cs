using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MLExtensions.Families.LanguageModels;

/// <summary>The tokens of a whole text, in order.</summary>
internal abstract class TokenStore : IDisposable
{
    public abstract long Count { get; }

    public abstract void Append(ReadOnlySpan<int> tokens);

    /// <summary>Reads tokens from a position; thread-safe once all tokens are stored.</summary>
    public abstract void Read(long first, Span<int> destination);

    /// <summary>The number of tokens and their SHA-256, in readable form.</summary>
    public string Checksum()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var part = new int[1 << 16];
        for (long at = 0; at < Count; at += part.Length)
        {
            var span = part.AsSpan(0, (int)Math.Min(part.Length, Count - at));
            Read(at, span);
            hash.AppendData(MemoryMarshal.AsBytes(span));
        }
        return FormattableString.Invariant($"{Count} tokens of SHA-256 {Convert.ToHexStringLower(hash.GetHashAndReset())}");
    }

    public virtual void Dispose()
    {
    }

    public static TokenStore Create(Buffering buffering) => buffering == Buffering.InMemory ? new InMemory() : new InFile();

    private sealed class InMemory : TokenStore
    {
        private readonly List<int> _tokens = [];

        public override long Count => _tokens.Count;

        public override void Append(ReadOnlySpan<int> tokens)
        {
            if (_tokens.Count + (long)tokens.Length > Array.MaxLength)
                throw new InvalidOperationException(FormattableString.Invariant($"The text has more than {Array.MaxLength} tokens; set Buffering to Streaming."));
            _tokens.AddRange(tokens);
        }

        public override void Read(long first, Span<int> destination) =>
            CollectionsMarshal.AsSpan(_tokens).Slice((int)first, destination.Length).CopyTo(destination);
    }

    /// <summary>Stores tokens in a temporary file that disappears with the process, however the process ends.</summary>
    private sealed class InFile : TokenStore
    {
        private readonly FileStream _file;
        private long _count;

        public InFile()
        {
            var path = Path.Combine(Path.GetTempPath(), $"mlextensions-{Guid.NewGuid():N}.tokens");
            _file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Options = FileOptions.DeleteOnClose | FileOptions.RandomAccess,
                BufferSize = 1 << 16,
            });
            // Except on Windows, a killed process would leave the file behind; without a name it lives as long as its handle.
            if (!OperatingSystem.IsWindows())
                File.Delete(path);
        }

        public override long Count => _count;

        public override void Append(ReadOnlySpan<int> tokens)
        {
            _file.Write(MemoryMarshal.AsBytes(tokens));
            _count += tokens.Length;
        }

        public override void Read(long first, Span<int> destination)
        {
            _file.Flush();
            var bytes = MemoryMarshal.AsBytes(destination);
            var at = first * sizeof(int);
            while (!bytes.IsEmpty)
            {
                var read = RandomAccess.Read(_file.SafeFileHandle, bytes, at);
                if (read == 0)
                    throw new EndOfStreamException("The temporary token file was truncated.");
                bytes = bytes[read..];
                at += read;
            }
        }

        public override void Dispose() => _file.Dispose();
    }
}
