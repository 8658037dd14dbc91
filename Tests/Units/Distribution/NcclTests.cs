using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using MLExtensions.Distribution;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Distribution;

/// <summary>Sums on GPUs, with a library in C that plays NCCL and CUDA on host memory. Without a compiler most of these tests are skipped.</summary>
[TestClass]
public sealed class NcclTests
{
    private static readonly TemporaryFolder Folder = new();
    private static readonly Lazy<string?> StubPath = new(Compile);
    private Stub _stub = null!;

    [ClassCleanup]
    public static void DeleteStub() => Folder.Dispose();

    [TestInitialize]
    public void Begin() => _stub = new Stub(StubPath.Value ?? throw new AssertInconclusiveException("There is no C compiler."));

    [TestMethod]
    public void Sum_InPlaceOnTheGpuOfTheRank()
    {
        using var scope = NewDisposeScope();
        _stub["device"] = 1; // the program uses another one
        using (var sum = new NcclSum(_stub.Load(), new OneRank(), device: 3))
        {
            var values = arange(5, dtype: ScalarType.Float32, device: CPU);
            sum.Sum(values);
            CollectionAssert.AreEqual(new float[] { 0, 1, 2, 3, 4 }, values.data<float>().ToArray());
            Assert.AreEqual((1, 1, 3, 1), (_stub["calls_init"], _stub["calls_sum"], _stub["device_of_sum"], _stub["device"]));
            Assert.AreEqual(4, _stub["calls_query"], "it is waited for");
            Assert.AreEqual(0, _stub["calls_destroy"]);
        }
        Assert.AreEqual((1, 0), (_stub["calls_destroy"], _stub["calls_abort"]));
    }

    [TestMethod]
    public void TwoRanks_GetTheIdOfTheFirst()
    {
        var sums = ThreadRanks.Run(2, ranks =>
        {
            using var scope = NewDisposeScope();
            using var sum = new NcclSum(_stub.Load(), ranks.Group!, ranks.Rank);
            var values = ones(3, dtype: ScalarType.Float32, device: CPU);
            sum.Sum(values);
            return values.data<float>().ToArray();
        });
        foreach (var sum in sums)
            CollectionAssert.AreEqual(new float[] { 2, 2, 2 }, sum);
    }

    [TestMethod]
    [DataRow("fail_init", 5, "NCCL reports: invalid usage")]
    [DataRow("fail_sum", 6, "NCCL reports: remote process exited")]
    [DataRow("fail_async", 6, "NCCL reports: remote process exited")]
    public void Error_IsExplained(string place, int code, string message)
    {
        using var scope = NewDisposeScope();
        _stub[place] = code;
        var error = Assert.ThrowsExactly<DistributedException>(() =>
        {
            using var sum = new NcclSum(_stub.Load(), new OneRank(), device: 0);
            sum.Sum(ones(3, dtype: ScalarType.Float32, device: CPU));
        });
        Assert.StartsWith(message, error.Message);
        Assert.Contains("NCCL_LIBRARY=none", error.Message);
    }

    [TestMethod]
    public void ErrorOfCuda_IsExplained()
    {
        _stub["fail_device"] = 101;
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => new NcclSum(_stub.Load(), new OneRank(), device: 9));
        Assert.AreEqual("CUDA reports: invalid device ordinal", error.Message);
    }

    /// <summary>A sum of the GPU that never comes must not be waited for where nobody looks at the time.</summary>
    [TestMethod]
    public void WhileItLasts_TheGroupLooksAfterTheOthers()
    {
        using var scope = NewDisposeScope();
        var group = new OneRank { Failure = new DistributedException("Rank 1 ended the training: on purpose") };
        using var sum = new NcclSum(_stub.Load(), group, device: 0);
        Assert.AreSame(group.Failure, Assert.ThrowsExactly<DistributedException>(() => sum.Sum(ones(3, dtype: ScalarType.Float32, device: CPU))));
        sum.Abort();
        Assert.AreEqual((1, 0), (_stub["calls_abort"], _stub["calls_destroy"]));
        Assert.ThrowsExactly<ObjectDisposedException>(() => sum.Sum(ones(3, dtype: ScalarType.Float32, device: CPU)));
    }

    [TestMethod]
    public void Sum_OfWhatItCannotTake_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var sum = new NcclSum(_stub.Load(), new OneRank(), device: 0);
        Assert.Contains("Float64", Assert.ThrowsExactly<ArgumentException>(() => sum.Sum(ones(3, dtype: ScalarType.Float64, device: CPU))).Message);
        Assert.ThrowsExactly<ArgumentException>(() => sum.Sum(ones([3, 2], dtype: ScalarType.Float32, device: CPU).t()));
        Assert.AreEqual(0, _stub["calls_sum"]);
    }

    /// <summary>What is chosen must be the same on all ranks, or they would wait for each other in different places.</summary>
    [TestMethod]
    [DataRow(true, true)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    public void Choice_TakesTheGpusIfAllCan(bool first, bool second)
    {
        var choices = ThreadRanks.Run(2, ranks =>
        {
            var can = ranks.Rank == 0 ? first : second;
            var note = NcclSum.Choose(ranks.Group!, new Device(TorchSharp.DeviceType.CUDA, ranks.Rank), () => can ? (_stub.Load(), null) : (null, "it is missing"));
            return (Note: note, Sums: ranks.Group!.OnDevice != null);
        });
        foreach (var (note, sums) in choices)
        {
            Assert.AreEqual(first && second, sums);
            Assert.AreEqual(sums ? null : FormattableString.Invariant($"Gradients on GPUs are summed in host memory, because of rank {(first ? 1 : 0)}: it is missing."), note);
        }
    }

    [TestMethod]
    public void EndOfTraining_Disconnects_AndFailureAborts()
    {
        foreach (var fails in new[] { false, true })
        {
            var group = new OneRank();
            _ = ThreadRanks.Try(1, _ => group.Run("a test", TimeSpan.FromSeconds(1), () =>
            {
                NcclSum.Choose(group, new Device(TorchSharp.DeviceType.CUDA, 0), () => (_stub.Load(), null));
                var kept = group.OnDevice;
                NcclSum.Choose(group, new Device(TorchSharp.DeviceType.CUDA, 0), () => (_stub.Load(), null));
                Assert.AreSame(kept, group.OnDevice, "one connection for all networks of a training");
                return fails ? throw new InvalidOperationException("on purpose") : 0;
            }));
            Assert.IsNull(group.OnDevice);
            Assert.AreEqual(fails ? (2, 1, 1) : (1, 1, 0), (_stub["calls_init"], _stub["calls_destroy"], _stub["calls_abort"]));
        }
    }

    [TestMethod]
    public void OnTheCpu_NothingIsLoadedOrSaid()
    {
        var group = new OneRank();
        Assert.IsNull(NcclSum.Choose(group, CPU, () => throw new InvalidOperationException("loaded")));
        Assert.IsNull(group.OnDevice);
    }

    [TestMethod]
    public void MissingLibrary_IsSaid()
    {
        Assert.IsNull(NcclLibrary.TryLoad("/no/such/libnccl.so", _stub.Cuda, out var missing));
        Assert.AreEqual("NCCL_LIBRARY is '/no/such/libnccl.so', which cannot be loaded", missing);
        Assert.IsNull(NcclLibrary.TryLoad("none", _stub.Cuda, out missing));
        Assert.AreEqual("NCCL_LIBRARY is 'none'", missing);
        Assert.IsNull(NcclLibrary.TryLoad("libc.so.6", _stub.Cuda, out missing));
        Assert.Contains("too old or another one", missing!);
    }

    [TestMethod]
    public void MemoryOfAGpu_IsRead() => Assert.AreEqual(1000, _stub.Cuda.FreeMemory(device: 2));

    private static string? Compile()
    {
        var (source, library) = (Path.Combine(AppContext.BaseDirectory, "Distribution", "nccl_stub.c"), Folder.File("libnccl_stub.so"));
        try
        {
            using var compiler = Process.Start(new ProcessStartInfo("cc", ["-shared", "-fPIC", "-o", library, source]) { RedirectStandardError = true })!;
            var errors = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            Assert.AreEqual(0, compiler.ExitCode, errors);
            return library;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>The library in C with its counters at zero.</summary>
    private sealed unsafe class Stub
    {
        private readonly string _path;
        private readonly nint _library;

        public Stub(string path)
        {
            (_path, _library) = (path, NativeLibrary.Load(path));
            Cuda = new CudaRuntime(_library);
            foreach (var name in new[] { "calls_init", "calls_sum", "calls_destroy", "calls_abort", "calls_query", "device", "device_of_sum", "fail_init", "fail_sum", "fail_async", "fail_device", "busy" })
                this[name] = 0;
        }

        public CudaRuntime Cuda { get; }

        public int this[string name]
        {
            get => *(int*)NativeLibrary.GetExport(_library, name);
            set => *(int*)NativeLibrary.GetExport(_library, name) = value;
        }

        public NcclLibrary Load() => NcclLibrary.TryLoad(_path, Cuda, out var missing) ?? throw new AssertFailedException(missing!);
    }

    private sealed class OneRank : ProcessGroup
    {
        public DistributedException? Failure { get; init; }

        public override int Rank => 0;

        public override int Size => 1;

        public override void WaitUntil(Func<bool> isDone)
        {
            if (Failure != null)
                throw Failure;
            base.WaitUntil(isDone);
        }

        private protected override double SumOnHost(Tensor values, double number, Precision precision) => number;

        private protected override void SumOnHost(Span<double> values)
        {
        }

        private protected override byte[] BroadcastOnHost(byte[] value, int root) => value;

        private protected override void Notify(bool isCancelled, string reason)
        {
        }
    }
}
