using System.Runtime.Intrinsics.X86;

namespace MLExtensions.Training;

/// <summary>Whether the processor computes in bfloat16; without its instructions libtorch imitates them, slowly.</summary>
internal static class BFloat16Instructions
{
    private const int StructuredFeatures = 7;
    private const int AmxBit = 1 << 22;
    private const int Avx512Bit = 1 << 5;

    /// <summary>The name of the instructions; null where an x86 processor has none.</summary>
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
