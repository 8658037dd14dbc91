using System.ComponentModel;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace MLExtensions.Families.Reinforcement;

/// <summary>What a child process says went wrong.</summary>
internal sealed class ChildFailedException(string message) : Exception(message);

/// <summary>A child process that answers lines of JSON with lines of JSON, within a time.</summary>
internal sealed class ChildLines : IDisposable
{
    private const int LongestLine = 1 << 28;
    private const int LastWords = 2000;
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly Task _reader;
    private readonly TimeSpan _timeout;
    private readonly StringBuilder _errors = new();
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _begin;
    private int _end;
    private bool _isDisposed;

    /// <exception cref="IOException">The process could not be started.</exception>
    public ChildLines(string fileName, IEnumerable<string> arguments, TimeSpan timeout)
    {
        _timeout = timeout;
        var start = new ProcessStartInfo(fileName)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        Name = string.Join(' ', start.ArgumentList.Prepend(fileName));
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            throw new IOException($"The process '{Name}' could not be started: {e.Message}", e);
        }
        _reader = Remember(_process.StandardError);
    }

    /// <summary>The command line.</summary>
    public string Name { get; }

    /// <summary>Sends a command and waits for its answer.</summary>
    /// <exception cref="IOException">The process has ended.</exception>
    /// <exception cref="TimeoutException">There is no answer.</exception>
    /// <exception cref="FormatException">The answer is no JSON object.</exception>
    /// <exception cref="ChildFailedException">The process says that something went wrong.</exception>
    public ChildAnswer Ask(string command, JsonObject content, TimeSpan? timeout = null)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        // The answers that follow would all be those of the command before.
        if (_begin < _end)
            throw new FormatException($"The process '{Name}' wrote more than one line in answer to the command before '{command}': '{Shorten(Encoding.UTF8.GetString(_buffer, _begin, _end - _begin).TrimEnd())}'. It must write one line per command; everything else belongs to its standard error.");
        content.Insert(0, "command", command);
        // A child that reads nothing must not hold up who writes.
        var request = Encoding.UTF8.GetBytes(content.ToJsonString() + "\n");
        InTime(Task.Run(() => Send(request)), command, timeout ?? _timeout);
        var line = InTime(Task.Run(ReadLine), command, timeout ?? _timeout);
        try
        {
            // Found here rather than in whatever field is read first.
            if (!Utf8.IsValid(line))
                throw new JsonException("it is no UTF-8.");
            var answer = JsonNode.Parse(line) as JsonObject ?? throw new JsonException("it is no object.");
            if (answer["error"] is { } error)
                throw new ChildFailedException($"The process '{Name}' answered '{command}' with an error: {error}");
            return new ChildAnswer(answer, command, Name);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            // Half of a surrogate pair is an InvalidOperationException.
            throw new FormatException($"The process '{Name}' answered '{command}' with '{Shorten(Encoding.UTF8.GetString(line))}', which is no JSON object: {e.Message}", e);
        }
    }

    /// <summary>Ends the process without asking.</summary>
    public void End()
    {
        Kill();
        Dispose();
    }

    /// <summary>Asks the process to end, and ends it if it does not.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        try
        {
            if (!_process.HasExited && Task.Run(() => Send("{\"command\":\"close\"}\n"u8.ToArray())).Wait(Farewell))
            {
                _process.StandardInput.Close();
                _process.WaitForExit(Farewell);
            }
        }
        catch (Exception e) when (e is AggregateException or IOException or InvalidOperationException)
        {
            // It is gone already.
        }
        Kill();
        // Streams that were read from are not closed with the process.
        _process.StandardOutput.BaseStream.Dispose();
        _process.StandardError.BaseStream.Dispose();
        _process.Dispose();
    }

    private bool Send(byte[] line)
    {
        _process.StandardInput.BaseStream.Write(line);
        _process.StandardInput.BaseStream.Flush();
        return true;
    }

    private byte[] ReadLine()
    {
        using var line = new MemoryStream();
        while (true)
        {
            var found = _buffer.AsSpan(_begin, _end - _begin).IndexOf((byte)'\n');
            line.Write(_buffer, _begin, found >= 0 ? found : _end - _begin);
            _begin = found >= 0 ? _begin + found + 1 : _end;
            if (found >= 0)
                return line.ToArray();
            if (line.Length > LongestLine)
                throw new FormatException(FormattableString.Invariant($"The process '{Name}' wrote more than {LongestLine} bytes without an end of line."));
            (_begin, _end) = (0, _process.StandardOutput.BaseStream.Read(_buffer));
            if (_end == 0)
                throw new IOException("The standard output was closed.");
        }
    }

    private T InTime<T>(Task<T> task, string command, TimeSpan timeout)
    {
        try
        {
            if (task.Wait(timeout))
                return task.Result;
        }
        catch (AggregateException e) when (e.InnerException is IOException cause)
        {
            throw Ended(command, cause);
        }
        catch (AggregateException e) when (e.InnerException is FormatException cause)
        {
            throw cause;
        }
        Kill();
        throw new TimeoutException(FormattableString.Invariant($"The process '{Name}' did not answer '{command}' within {timeout.TotalSeconds:0.###} s; it was ended.{Words()}"));
    }

    private IOException Ended(string command, Exception cause)
    {
        var hasEnded = _process.WaitForExit(Farewell);
        // For the rest of the standard error, which a child of the child may hold open.
        if (hasEnded)
            _reader.Wait(Farewell);
        return new IOException(FormattableString.Invariant($"The process '{Name}' {(hasEnded ? FormattableString.Invariant($"ended with exit code {_process.ExitCode}") : "closed its standard output")} instead of answering '{command}'.{Words()}"), cause);
    }

    /// <summary>Keeps the last words, in whatever pieces they come: a line may have no end.</summary>
    private async Task Remember(StreamReader reader)
    {
        var piece = new char[LastWords];
        try
        {
            while (await reader.ReadAsync(piece).ConfigureAwait(false) is > 0 and var count)
            {
                lock (_errors)
                {
                    _errors.Append(piece, 0, count);
                    if (_errors.Length > 2 * LastWords)
                        _errors.Remove(0, _errors.Length - LastWords);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It is gone already.
        }
    }

    private string Words()
    {
        lock (_errors)
            return _errors.Length == 0 ? "" : " It wrote to its standard error: " + _errors.ToString(Math.Max(0, _errors.Length - LastWords), Math.Min(_errors.Length, LastWords)).Trim();
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(Farewell);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It is gone already.
        }
    }

    private static string Shorten(string line) => line.Length <= 100 ? line : line[..100] + "...";
}

/// <summary>An answer of a child process, whose fields are checked when they are read.</summary>
internal sealed class ChildAnswer(JsonObject answer, string command, string child)
{
    public FormatException Wrong(string field, string allowed) =>
        new($"The process '{child}' answered '{command}' with {(answer[field] is { } value ? $"{field} = {Shown(value)}" : $"no {field}")}; it must be {allowed}.");

    public string Text(string field) => IsText(answer[field], out var text) && text.Length > 0 ? text : throw Wrong(field, "a text");

    public double Number(string field) => answer[field] is JsonValue value && value.TryGetValue<double>(out var number) ? number : throw Wrong(field, "a number");

    public bool Flag(string field) => answer[field] is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : throw Wrong(field, "true or false");

    public bool[] Mask() => answer["action_mask"] switch
    {
        null => [],
        JsonArray array => array.Select(item => item is JsonValue allowed && allowed.TryGetValue<bool>(out var flag) ? flag : throw Wrong("action_mask", "a list of true and false")).ToArray(),
        _ => throw Wrong("action_mask", "a list of true and false"),
    };

    /// <summary>A number, a list of them however deep, or the base64 of bytes.</summary>
    public float[] Floats(string field)
    {
        var values = new List<float>();
        if (IsText(answer[field], out var text))
        {
            var bytes = new byte[text.Length];
            return Convert.TryFromBase64String(text, bytes, out var count) ? bytes.Take(count).Select(each => (float)each).ToArray() : throw Wrong(field, "numbers, or base64");
        }
        Collect(answer[field]);
        return [.. values];

        void Collect(JsonNode? node)
        {
            if (node is JsonArray array)
            {
                foreach (var item in array)
                    Collect(item);
            }
            else
            {
                values.Add(node is JsonValue number && number.TryGetValue<double>(out var found) ? (float)found : throw Wrong(field, "numbers, or base64"));
            }
        }
    }

    public Space Space(string field)
    {
        const string Allowed = "a space: {\"n\":2} or {\"shape\":[4],\"low\":-1,\"high\":1}";
        try
        {
            if (answer[field] is not JsonObject space)
                throw Wrong(field, Allowed);
            if (space["n"] is { } count)
                return new DiscreteSpace(count.GetValue<int>(), space["start"]?.GetValue<int>() ?? 0);
            var shape = space["shape"]!.AsArray().Select(size => size!.GetValue<long>()).ToArray();
            return (space["low"], space["high"]) switch
            {
                (JsonArray low, JsonArray high) => new BoxSpace(shape, Bounds(low, float.NegativeInfinity), Bounds(high, float.PositiveInfinity)),
                var (low, high) => new BoxSpace(shape, Bound(low, float.NegativeInfinity), Bound(high, float.PositiveInfinity)),
            };
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NullReferenceException or OverflowException)
        {
            throw new FormatException(Wrong(field, Allowed).Message + " " + e.Message, e);
        }
    }

    private static float[] Bounds(JsonArray bounds, float none) => bounds.Select(bound => Bound(bound, none)).ToArray();

    private static float Bound(JsonNode? bound, float none) => bound == null ? none : (float)bound.GetValue<double>();

    private static string Shown(JsonNode value)
    {
        try
        {
            return Shorten(value.ToJsonString());
        }
        catch (InvalidOperationException)
        {
            return "a text with half of a surrogate pair";
        }
    }

    private static bool IsText(JsonNode? node, [NotNullWhen(true)] out string? text)
    {
        text = null;
        try
        {
            return node is JsonValue value && value.TryGetValue(out text);
        }
        catch (InvalidOperationException)
        {
            return false; // half of a surrogate pair
        }
    }

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "...";
}
