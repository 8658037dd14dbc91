using System.Security.Cryptography;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>The SHA-256 of weights that no checkpoint holds, by which a resumed training knows that they are the same.</summary>
internal static class WeightChecksum
{
    public static string Of(IEnumerable<Tensor> weights)
    {
        using var scope = NewDisposeScope();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var weight in weights)
            TensorMemory.ForEachPiece(weight.detach().cpu().contiguous(), piece => hash.AppendData(piece));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
