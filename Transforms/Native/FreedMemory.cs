using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.ML;

namespace MLExtensions.Native;

/// <summary>
/// Lets the C library keep memory that is freed, for as long as the scope lasts. Each step of a training and each pass of scoring frees as many megabytes
/// as the next one allocates; by default glibc gives them back to the system and gets new pages, which the system must clear. In a virtual machine
/// that can cost half of the time.
/// </summary>
internal sealed class FreedMemory : IDisposable
{
    // Parameters of glibc's mallopt, and what its own adaptation comes to at most.
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MapThreshold = -3;
    private const int UsualTrimThreshold = 64 << 20;
    private const int UsualTopPad = 128 << 10;
    private const int UsualMapThreshold = 32 << 20;

    // The heaps of threads other than the first are at most so large; one that is empty is unmapped unless the pad is larger.
    private const int ThreadHeapSize = 64 << 20;

    // The pages of a step are cleared again afterwards: rarely enough that nobody notices, more often only where memory grows.
    private static readonly TimeSpan TidyingInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(10);
    private const long Growth = 256 << 20;

    private static readonly string[] Variables = ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES", "LD_PRELOAD"];
    private static readonly Lock Gate = new();
    private static int _open;
    private readonly Stopwatch _sinceTidying = Stopwatch.StartNew();
    private long _tidied = Environment.WorkingSet;
    private TimeSpan _looked;
    private bool _isOver;

    /// <summary>Whether the allocator is glibc's and the user has not set it.</summary>
    internal static bool IsPossible { get; private set; } = OperatingSystem.IsLinux() && !Variables.Any(variable => Environment.GetEnvironmentVariable(variable) is { Length: > 0 });

    /// <summary>Whether a scope is open.</summary>
    internal static bool IsKept => Volatile.Read(ref _open) > 0;

    private FreedMemory()
    {
    }

    /// <summary>Begins a scope. Scopes may overlap; the last one that ends restores what was.</summary>
    public static FreedMemory Keep()
    {
        lock (Gate)
        {
            if (_open++ == 0)
                Set(int.MaxValue, 2 * ThreadHeapSize, 1 << 30);
        }
        return new FreedMemory();
    }

    /// <summary>Begins a scope that lasts as long as a cursor.</summary>
    /// <param name="row">The cursor, or a single row.</param>
    /// <returns>Ends it; null for a single row, which nobody may ever dispose.</returns>
    public static Action? KeepFor(DataViewRow row) => row is DataViewRowCursor ? Keep().Dispose : null;

    /// <summary>
    /// Gives back what is free, once a minute, and every ten seconds if it is much; to be called often. Where no two steps need blocks of the
    /// same sizes, as with texts of all lengths, the heap gets holes that nothing fits into, and would grow by gigabytes.
    /// </summary>
    public void TidyAtTimes()
    {
        var elapsed = _sinceTidying.Elapsed;
        if (elapsed - _looked < ShortestInterval)
            return;
        _looked = elapsed;
        if (elapsed < TidyingInterval && Environment.WorkingSet < _tidied + Growth)
            return;
        Tidy();
        _tidied = Environment.WorkingSet;
        _looked = TimeSpan.Zero;
        _sinceTidying.Restart();
    }

    /// <summary>Gives back all pages that nothing is on.</summary>
    internal static void Tidy()
    {
        if (!IsPossible)
            return;
        try
        {
            _ = TrimHeap(0);
        }
        catch (EntryPointNotFoundException)
        {
            IsPossible = false;
        }
    }

    public void Dispose()
    {
        lock (Gate)
        {
            if (_isOver)
                return;
            _isOver = true;
            if (--_open == 0)
                Set(UsualTrimThreshold, UsualTopPad, UsualMapThreshold);
        }
    }

    private static void Set(int trim, int pad, int map)
    {
        if (!IsPossible)
            return;
        try
        {
            _ = SetOption(TrimThreshold, trim);
            _ = SetOption(TopPad, pad);
            _ = SetOption(MapThreshold, map);
        }
        catch (EntryPointNotFoundException)
        {
            IsPossible = false; // another C library, such as musl
        }
    }

    [DllImport("libc", EntryPoint = "mallopt")]
    private static extern int SetOption(int parameter, int value);

    [DllImport("libc", EntryPoint = "malloc_trim")]
    private static extern int TrimHeap(nuint kept);
}

/// <summary>
/// Large pages for large blocks: a training set of 200 MB is 50,000 small pages, and the system clears and maps each when it is first written to.
/// </summary>
internal static unsafe class HugePages
{
    private const int Size = 2 << 20;
    private const int HugePage = 14; // MADV_HUGEPAGE

    private static bool _isPossible = OperatingSystem.IsLinux();

    /// <summary>Asks for large pages in a block; where the system has none, nothing changes.</summary>
    public static void Advise(void* block, long bytes)
    {
        var first = ((nint)block + Size - 1) & ~(nint)(Size - 1);
        var length = (((nint)block + (nint)bytes) & ~(nint)(Size - 1)) - first;
        if (!_isPossible || length <= 0)
            return;
        try
        {
            _ = AdviseSystem(first, length, HugePage);
        }
        catch (EntryPointNotFoundException)
        {
            _isPossible = false;
        }
    }

    [DllImport("libc", EntryPoint = "madvise")]
    private static extern int AdviseSystem(nint start, nint length, int advice);
}
