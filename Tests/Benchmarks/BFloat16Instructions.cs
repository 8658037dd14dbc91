using System.Runtime.Intrinsics.X86;

namespace MLExtensions.Benchmarks;

/// <summary>Whether the processor computes in bfloat16; without its instructions libtorch imitates them, slowly.</summary>
internal static class BFloat16Instructions
{
    private const int StructuredFeatures = 7;
    private const int AmxBit = 1 << 22;
    private const int Avx512Bit = 1 << 5;

    public static string Description
    {
        get
        {
            if (!X86Base.IsSupported)
                return "not an x86 processor";
            if ((X86Base.CpuId(StructuredFeatures, 0).Edx & AmxBit) != 0)
                return "processor with AMX";
            return (X86Base.CpuId(StructuredFeatures, 1).Eax & Avx512Bit) != 0
                ? "processor with AVX512_BF16"
                : "this processor has no bfloat16 instructions";
        }
    }
}
