using System.Buffers;

namespace MLExtensions.Examples.Serving.Http;

/// <summary>The body of a request, in memory that is given back when it is disposed.</summary>
internal readonly struct RequestBody : IDisposable
{
    private readonly byte[] _memory;
    private readonly int _length;

    private RequestBody(byte[] memory, int length) => (_memory, _length) = (memory, length);

    public ReadOnlySpan<byte> Bytes => _memory.AsSpan(0, _length);

    /// <exception cref="RequestException">There is none, it is too large, or it is compressed.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpRequest request, int limit)
    {
        if (request.ContentLength > limit)
            throw TooLarge(limit);
        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding != "identity")
            throw new RequestException(415, $"The body has the encoding '{request.Headers.ContentEncoding}'; it must be plain JSON.");
        var memory = ArrayPool<byte>.Shared.Rent((int)(request.ContentLength ?? 4096) + 1);
        var length = 0;
        try
        {
            while (true)
            {
                var read = await request.BodyReader.ReadAsync();
                var size = length + read.Buffer.Length;
                if (size > limit)
                    throw TooLarge(limit);
                if (size > memory.Length)
                    memory = Grow(memory, length, (int)size);
                read.Buffer.CopyTo(memory.AsSpan(length));
                length = (int)size;
                request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return new RequestBody(memory, length);
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(memory);
            throw;
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_memory);

    private static byte[] Grow(byte[] memory, int length, int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(size, memory.Length * 2));
        memory.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(memory);
        return larger;
    }

    private static RequestException TooLarge(int limit) => new(413, FormattableString.Invariant($"The body is larger than {limit} bytes."));
}
