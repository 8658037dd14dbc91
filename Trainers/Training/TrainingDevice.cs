using System.Globalization;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace MLExtensions.Training;

/// <summary>Resolves the device option.</summary>
internal static class TrainingDevice
{
    private const string Auto = "auto";
    private const string Cpu = "cpu";
    private const string Cuda = "cuda";
    private const string LocalRankVariable = "OMPI_COMM_WORLD_LOCAL_RANK";

    /// <summary>Parses the option; the index is null for the CPU.</summary>
    public static (bool IsAuto, int? CudaIndex) Parse(string? option)
    {
        if (option == Auto)
            return (true, null);
        if (option == Cpu)
            return (false, null);
        if (option == Cuda)
            return (false, 0);
        if (option != null && option.StartsWith(Cuda + ":", StringComparison.Ordinal)
            && int.TryParse(option.AsSpan(Cuda.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            return (false, index);
        throw new ArgumentException($"Device is '{option}'; it must be auto, cpu, cuda or cuda:n.", nameof(TrainingOptions.Device));
    }

    /// <remarks>Processes that mpirun has started on a machine take a GPU each, whether they train one network together or a fold each.</remarks>
    /// <exception cref="InvalidOperationException">The option asks for a GPU that does not exist.</exception>
    public static torch.Device Resolve(string option)
    {
        var (isAuto, index) = Parse(option);
        var count = (isAuto || index != null) && TorchRuntime.IsCudaAvailable ? torch.cuda.device_count() : 0;
        return IndexOf(option, LocalRank(Environment.GetEnvironmentVariable(LocalRankVariable)), count) is { } found ? new torch.Device(DeviceType.CUDA, found) : torch.CPU;
    }

    /// <summary>The number of the GPU; null for the CPU.</summary>
    /// <param name="option">The option.</param>
    /// <param name="localRank">The number of this process among the ranks of this machine; null if there are no ranks.</param>
    /// <param name="count">The number of GPUs that this process sees.</param>
    internal static int? IndexOf(string option, int? localRank, int count)
    {
        var (isAuto, index) = Parse(option);
        if (isAuto && count == 0)
            return null;
        // A GPU for each rank, unless one was named. Where each rank sees only its own (CUDA_VISIBLE_DEVICES), that is number 0.
        if (count > 0 && (isAuto || option == Cuda))
            return (localRank ?? 0) % count;
        if (index >= count)
            throw new InvalidOperationException(FormattableString.Invariant($"Device is '{option}', but this process sees {count} CUDA devices. A GPU needs a driver and the package TorchSharp-cuda-linux or TorchSharp-cuda-windows. Device = \"cpu\" trains without a GPU."));
        return index;
    }

    private static int? LocalRank(string? value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var rank) ? rank : null;
}

/// <summary>Detects whether the processor has bfloat16 instructions; without them libtorch emulates them slowly.</summary>
internal static class BFloat16Instructions
{
    private const int StructuredFeatures = 7;
    private const int AmxBit = 1 << 22;
    private const int Avx512Bit = 1 << 5;

    /// <summary>The name of the instructions; null if an x86 processor has none.</summary>
    public static string? Name
    {
        get
        {
            if (!X86Base.IsSupported)
                return "not an x86 processor";
            if ((X86Base.CpuId(StructuredFeatures, 0).Edx & AmxBit) != 0)
                return "AMX";
            return (X86Base.CpuId(StructuredFeatures, 1).Eax & Avx512Bit) != 0 ? "AVX512_BF16" : null;
        }
    }
}
