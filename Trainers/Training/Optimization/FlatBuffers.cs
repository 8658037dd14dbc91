using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace MLExtensions.Training;

/// <summary>Host addresses of the flat tensors that a step walks over; the tensors must outlive every use.</summary>
internal readonly unsafe struct FlatBuffers(float* parameters, float* gradients, float* first, float* second)
{
    public readonly float* Parameters = parameters;
    public readonly float* Gradients = gradients;
    public readonly float* First = first;
    public readonly float* Second = second;

    public static float* Address(torch.Tensor tensor)
    {
        if (tensor.NumberOfElements == 0)
            return null;
        // Tensor.bytes ends at 2 GB; its beginning is all that is needed.
        using torch.Tensor start = tensor.narrow(0, 0, 1);
        return (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(start.bytes));
    }
}
