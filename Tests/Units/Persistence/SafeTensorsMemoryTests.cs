using System.Diagnostics;
using MLExtensions.Persistence;
using TorchSharp;
using static MLExtensions.Tests.Persistence.SafeTensorsSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Persistence;

/// <summary>A few bytes that claim to be many must not make the reader take memory for them.</summary>
[TestClass]
[DoNotParallelize]
public class SafeTensorsMemoryTests
{
    private const long AllowedManaged = 32 * 1024 * 1024;

    // Loading torch and starting threads reserves some too.
    private const long AllowedAddressSpace = 1L << 30;

    /// <summary>The tensors that this thread made and did not dispose; what other tests left may be collected meanwhile.</summary>
    private static long Live => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    [TestMethod]
    [DataRow(90_000_000, true)]
    [DataRow(90_000_000, false)]
    [DataRow(1L << 60, true)]
    [DataRow(1L << 60, false)]
    [DataRow(-1L, false)]
    public void HeaderLengthIsNotBelieved(long claimed, bool seekable)
    {
        AssertCheap([.. BitConverter.GetBytes(claimed), (byte)'{', (byte)'}'], seekable);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void TensorSizeIsNotBelieved(bool seekable)
    {
        AssertCheap(Claiming(1L << 60, 3), seekable);
    }

    [TestMethod]
    public void ClaimsThatFitIntoMemoryAreNotBelievedEither()
    {
        AssertCheap(Claiming(4_000_000_000, 5_000_000), seekable: false);
    }

    [TestMethod]
    public void TensorsReadOneByOneAreFreedInBetween()
    {
        using var scope = NewDisposeScope();
        var file = Write(Enumerable.Range(0, 50).ToDictionary(i => $"t{i}", _ => ones(1000)));
        var before = Live;
        var most = 0L;
        var sum = 0f;

        SafeTensorsReader.Open(Open(file), Entry).ReadEach((_, tensor) =>
        {
            most = Math.Max(most, Live - before);
            sum += tensor.sum().item<float>();
        });

        Assert.AreEqual(50_000f, sum);
        Assert.IsLessThanOrEqualTo(2, most);
        Assert.AreEqual(before, Live);
    }

    private static byte[] Claiming(long bytes, int present) =>
        Foreign($$$"""{"a":{"dtype":"U8","shape":[{{{bytes}}}],"data_offsets":[0,{{{bytes}}}]}}""", new byte[present]);

    private static void AssertCheap(byte[] file, bool seekable)
    {
        using var scope = NewDisposeScope();
        using var process = Process.GetCurrentProcess();
        var peak = Math.Max(process.PeakVirtualMemorySize64, process.VirtualMemorySize64 + AllowedAddressSpace);
        var managedBefore = GC.GetAllocatedBytesForCurrentThread();

        Assert.ThrowsExactly<ModelFormatException>(() => SafeTensorsReader.Open(Open(file, seekable), Entry).ReadAll());

        Assert.IsLessThan(AllowedManaged, GC.GetAllocatedBytesForCurrentThread() - managedBefore);
        process.Refresh();
        // Reserved address space, not resident pages: memory that was asked for and never touched counts.
        Assert.IsLessThanOrEqualTo(peak, process.PeakVirtualMemorySize64);
    }
}
