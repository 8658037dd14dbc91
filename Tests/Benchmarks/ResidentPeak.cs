using System.Diagnostics;

namespace MLExtensions.Benchmarks;

/// <summary>Watches the process's resident memory from now on.</summary>
internal sealed class ResidentPeak : IDisposable
{
    private const string StatusFile = "/proc/self/status";
    private const string ResetFile = "/proc/self/clear_refs";
    private const string ResetPeak = "5";

    private readonly bool _kernelCounts;
    private readonly Timer? _sampler;
    private long _sampled;

    public ResidentPeak()
    {
        Before = Resident();
        _kernelCounts = TryResetPeak();
        if (!_kernelCounts)
            _sampler = new Timer(_ => Sample(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(2));
    }

    /// <summary>The resident bytes at the beginning.</summary>
    public long Before { get; }

    /// <summary>The most resident bytes so far.</summary>
    public long Read()
    {
        if (_kernelCounts)
            return StatusBytes("VmHWM:");
        Sample();
        return _sampled;
    }

    public void Dispose() => _sampler?.Dispose();

    private static bool TryResetPeak()
    {
        try
        {
            File.WriteAllText(ResetFile, ResetPeak);
            // Some sandboxes take the write and do nothing.
            return StatusBytes("VmHWM:") < Resident() * 1.05;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return false;
        }
    }

    private static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static long StatusBytes(string field)
    {
        var line = File.ReadLines(StatusFile).FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal))
            ?? throw new InvalidDataException($"{StatusFile} has no {field}");
        return 1024 * long.Parse(line[field.Length..].Replace("kB", "").Trim());
    }

    private void Sample() => _sampled = Math.Max(_sampled, Resident());
}
