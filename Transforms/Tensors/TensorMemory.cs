using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>Direct access to the memory of contiguous tensors on the CPU.</summary>
internal static unsafe class TensorMemory
{
    private const int PieceBytes = 16 * 1024 * 1024;

    public delegate void PieceAction(Span<byte> piece);

    /// <summary>The elements of a contiguous float32 CPU tensor of less than 2 GB.</summary>
    public static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>The address of the first element, whatever the tensor's size. The caller keeps the tensor alive.</summary>
    public static T* Pointer<T>(Tensor tensor)
        where T : unmanaged
    {
        if (tensor.NumberOfElements == 0)
            return null;
        using var flat = tensor.view(-1);
        using var first = flat.narrow(0, 0, 1);
        fixed (byte* address = first.bytes)
            return (T*)address;
    }

    /// <summary>Hands the bytes of a contiguous tensor of any size on, a piece at a time (a span ends at 2 GB).</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="action">Takes the pieces, in order.</param>
    /// <param name="first">The first element.</param>
    /// <param name="count">The number of elements; by default all from <paramref name="first"/> on.</param>
    public static void ForEachPiece(Tensor tensor, PieceAction action, long first = 0, long? count = null)
    {
        using var flat = tensor.view(-1);
        var end = first + (count ?? flat.shape[0] - first);
        var step = PieceBytes / tensor.ElementSize;
        for (var at = first; at < end; at += step)
        {
            using var piece = flat.narrow(0, at, Math.Min(step, end - at));
            action(piece.bytes);
        }
    }
}
