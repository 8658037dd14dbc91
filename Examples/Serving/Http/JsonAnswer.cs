using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MLExtensions.Examples.Serving.Http;

/// <summary>Writes answers as JSON, in memory that each thread keeps.</summary>
internal static class JsonAnswer
{
    private const int KeptBytes = 1 << 20;
    private static readonly JsonWriterOptions Options = new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Memory, Utf8JsonWriter Writer)? _kept;

    /// <summary>Writes an answer.</summary>
    /// <param name="response">Takes it.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="state">What the writing needs.</param>
    /// <param name="write">Writes the JSON.</param>
    public static void Write<T>(HttpResponse response, int status, T state, Action<Utf8JsonWriter, T> write)
    {
        var (memory, writer) = _kept ?? Create();
        _kept = null;
        memory.ResetWrittenCount();
        writer.Reset(memory);
        write(writer, state);
        writer.Flush();
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = memory.WrittenCount;
        response.BodyWriter.Write(memory.WrittenSpan);
        if (memory.Capacity <= KeptBytes)
            _kept = (memory, writer);
    }

    /// <summary>Writes what is wrong.</summary>
    public static void WriteError(HttpResponse response, int status, string message) => Write(response, status, message, static (writer, text) =>
    {
        writer.WriteStartObject();
        writer.WriteString("error", text);
        writer.WriteEndObject();
    });

    private static (ArrayBufferWriter<byte> Memory, Utf8JsonWriter Writer) Create()
    {
        var memory = new ArrayBufferWriter<byte>(4096);
        return (memory, new Utf8JsonWriter(memory, Options));
    }
}
