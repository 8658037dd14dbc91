using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>Turns a module into one that computes in bfloat16.</summary>
internal static class BFloat16Modules
{
    /// <summary>Converts the leaves, be the module one itself, but for normalisation, whose statistics need float32 (libtorch takes the mixture).</summary>
    public static void Convert(nn.Module module)
    {
        foreach (var leaf in module.modules().Append(module).Distinct().Where(m => !m.children().Any() && m is not TorchSharp.Modules.NormBase))
            leaf.to(ScalarType.BFloat16);
    }
}
