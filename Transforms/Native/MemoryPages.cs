using System.Runtime.InteropServices;

namespace MLExtensions.Native;

/// <summary>Memory pages that were mapped from a file for reading. Writes to them stay in this process.</summary>
internal static unsafe partial class MemoryPages
{
    private const int ReadWrite = 3; // PROT_READ | PROT_WRITE
    private const int PrivateAnonymous = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS (Linux)
    private const int MoveOver = 3; // MREMAP_MAYMOVE | MREMAP_FIXED
    private const uint ReadWritePages = 0x04; // PAGE_READWRITE
    private const uint CopyOnWritePages = 0x08; // PAGE_WRITECOPY, for pages that are mapped from a file
    private const nint Failed = -1;

    /// <summary>Makes the pages that hold some bytes readable and writable.</summary>
    public static bool TryMakeWritable(nint start, int length)
    {
        if (OperatingSystem.IsWindows())
            return VirtualProtect(start, (nuint)length, CopyOnWritePages, out _) || VirtualProtect(start, (nuint)length, ReadWritePages, out _);
        var page = Environment.SystemPageSize;
        var first = start / page * page;
        var size = (nuint)((start + length - first + page - 1) / page * page);
        return Protect(first, size, ReadWrite) == 0 || (OperatingSystem.IsLinux() && TryReplace(first, size));
    }

    /// <summary>A mapping that is shared with the file cannot be made writable: it is replaced by a private copy in one step.</summary>
    private static bool TryReplace(nint start, nuint size)
    {
        var copy = Map(0, size, ReadWrite, PrivateAnonymous, -1, 0);
        if (copy == Failed)
            return false;
        Buffer.MemoryCopy((void*)start, (void*)copy, size, size);
        return Remap(copy, size, size, MoveOver, start) == start;
    }

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint start, nuint size, int protection);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint start, nuint size, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mremap")]
    private static partial nint Remap(nint old, nuint oldSize, nuint size, int flags, nint start);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint start, nuint size, uint protection, out uint old);
}
