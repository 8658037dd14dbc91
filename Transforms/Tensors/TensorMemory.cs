using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>Direct access to the memory of contiguous tensors on the CPU.</summary>
internal static unsafe class TensorMemory
{
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
}
