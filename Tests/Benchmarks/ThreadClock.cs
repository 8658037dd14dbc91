using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MLExtensions.Benchmarks;

/// <summary>The processor time of the calling thread, which other processes hardly disturb; elapsed time where there is no such clock.</summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3;

    public static double Microseconds()
    {
        if (!OperatingSystem.IsLinux())
            return Stopwatch.GetTimestamp() * 1e6 / Stopwatch.Frequency;
        _ = ClockGetTime(ThreadCpuTime, out var time);
        return (time.Seconds * 1e6) + (time.Nanoseconds / 1e3);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}

/// <summary>Both clocks of work that this thread does.</summary>
internal sealed class Clocks(Action work)
{
    private readonly List<double> _processor = [];

    /// <summary>Works and returns the elapsed seconds.</summary>
    public double Run()
    {
        var start = ThreadClock.Microseconds();
        var elapsed = Timing.Seconds(work);
        _processor.Add((ThreadClock.Microseconds() - start) / 1e6);
        return elapsed;
    }

    /// <summary>The processor time of the rounds that count.</summary>
    public Samples Processor(string name) => new(name, _processor.Skip(1));
}
