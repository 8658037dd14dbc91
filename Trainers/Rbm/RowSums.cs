using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace MLExtensions.Rbm;

/// <summary>Adds up rows.</summary>
internal static class RowSums
{
    /// <summary>Adds a multiple of the sum over all rows to a vector.</summary>
    /// <param name="sums"><c>[values]</c>.</param>
    /// <param name="rows"><c>[rows, values]</c>.</param>
    /// <param name="factor">The multiple.</param>
    public static void AddTo(Tensor sums, Tensor rows, float factor)
    {
        if (rows.device_type != DeviceType.CPU || rows.dtype != ScalarType.Float32)
        {
            sums.add_(rows.sum(dim: 0), alpha: factor);
            return;
        }
        // Several times faster than libtorch, whose sums over rows are slow and whose calls cost more than small sums.
        var target = TensorMemory.Floats(sums);
        var values = TensorMemory.Floats(rows);
        for (var first = 0; first < values.Length; first += target.Length)
            TensorPrimitives.MultiplyAdd(values.Slice(first, target.Length), factor, target, target);
    }
}
