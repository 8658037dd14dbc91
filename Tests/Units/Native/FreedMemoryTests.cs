using System.Globalization;
using System.Runtime.InteropServices;
using MLExtensions.Native;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Native;

[TestClass]
public sealed class FreedMemoryTests
{
    private static readonly int PagesPerMegabyte = 1024 * 1024 / Environment.SystemPageSize;

    [TestMethod]
    public void FreedBlocks_AreUsedAgain()
    {
        if (!FreedMemory.IsPossible)
            Assert.Inconclusive("The allocator is not glibc's, or the user has set it.");
        TorchRuntime.Initialize();
        // What another test has disposed may end on a thread of its own.
        Assert.IsTrue(SpinWait.SpinUntil(() => !FreedMemory.IsKept, TimeSpan.FromSeconds(20)), "another test has left a scope open");
        using (FreedMemory.Keep())
        using (FreedMemory.Keep())
        {
            PageFaults(4, megabytes: 24);
            Assert.IsLessThan(5L * 24 * PagesPerMegabyte, PageFaults(16, megabytes: 24), "in a scope blocks are used again, but for a few that do not fit where they were");
        }
        // Larger than any block that the C library keeps by itself. The first may lie in a hole that other tests have left.
        Assert.IsGreaterThan(100L * PagesPerMegabyte, PageFaults(3, megabytes: 100), "afterwards it gives blocks back to the system");
    }

    [TestMethod]
    public unsafe void Holes_AreGivenBack()
    {
        if (!FreedMemory.IsPossible)
            Assert.Inconclusive("The allocator is not glibc's, or the user has set it.");
        const int BlockBytes = 1 << 20;
        using var memory = FreedMemory.Keep();
        var blocks = new nint[200];
        for (var i = 0; i < blocks.Length; i++)
        {
            blocks[i] = (nint)NativeMemory.Alloc(BlockBytes);
            new Span<byte>((void*)blocks[i], BlockBytes).Fill(1);
        }
        for (var i = 0; i < blocks.Length; i += 2)
            NativeMemory.Free((void*)blocks[i]);
        var before = Resident();
        FreedMemory.Tidy();
        var given = before - Resident();
        for (var i = 1; i < blocks.Length; i += 2)
            NativeMemory.Free((void*)blocks[i]);
        Assert.IsGreaterThan(50L * PagesPerMegabyte, given, "pages between blocks that are in use");

        static long Resident() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>The pages that are new to this thread while it allocates, fills and frees blocks.</summary>
    private static long PageFaults(int blocks, int megabytes)
    {
        var before = Read();
        for (var i = 0; i < blocks; i++)
            ones(megabytes * 1024 * 1024 / sizeof(float), dtype: ScalarType.Float32, device: CPU).Dispose();
        return Read() - before;

        static long Read()
        {
            var text = File.ReadAllText("/proc/thread-self/stat");
            return long.Parse(text[text.LastIndexOf(')')..].Split(' ')[8], CultureInfo.InvariantCulture);
        }
    }
}
