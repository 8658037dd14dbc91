using System.Globalization;

namespace MLExtensions.Tensors;

/// <summary>The memory that this process can have at most, to refuse what cannot fit before it is begun.</summary>
internal static class MachineMemory
{
    /// <summary>For tests: another computer.</summary>
    internal static long? Assumed { get; set; }

    /// <summary>Bytes: of the computer with its swap space, or of the container, or what is left of the address space if that is less.</summary>
    /// <remarks>
    /// The runtime knows a number too, but that is a limit of the managed heap where one is configured, and tensors are not in the heap.
    /// </remarks>
    public static double Available => Assumed ?? (OperatingSystem.IsLinux() ? OfLinux() : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <summary>A size with its unit, such as <c>1.5 GB</c>.</summary>
    public static string Text(double bytes)
    {
        var unit = Math.Clamp((int)Math.Floor(Math.Log(Math.Max(1, bytes), 1000)), 0, Units.Length - 1);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / Math.Pow(1000, unit):#,0.#} {Units[unit]}");
    }

    private static readonly string[] Units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];

    private static double OfLinux()
    {
        try
        {
            var computer = Kilobytes("/proc/meminfo", "MemTotal:") + Kilobytes("/proc/meminfo", "SwapTotal:");
            var space = LimitIn("/proc/self/limits", "Max address space") - Kilobytes("/proc/self/status", "VmSize:");
            return Math.Min(Math.Min(computer, space), Math.Min(LimitIn("/sys/fs/cgroup/memory.max"), LimitIn("/sys/fs/cgroup/memory/memory.limit_in_bytes")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or InvalidOperationException)
        {
            return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        }
    }

    private static double Kilobytes(string file, string name) =>
        1024 * double.Parse(File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", ""), CultureInfo.InvariantCulture);

    /// <summary>The first number in a file, or in a line of it; infinite if there is none: "max", "unlimited".</summary>
    private static double LimitIn(string file, string name = "")
    {
        if (!File.Exists(file))
            return double.PositiveInfinity;
        var line = File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..];
        return double.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture, out var limit) ? limit : double.PositiveInfinity;
    }
}
