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

    /// <summary>The address of the first element of a tensor of any size. The caller keeps the tensor alive.</summary>
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

    /// <summary>Passes the bytes of a contiguous tensor of any size to an action in pieces, because a span is limited to 2 GB.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="action">Receives the pieces, in order.</param>
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

/// <summary>The ownership of a module's tensors.</summary>
internal static class ModuleMemory
{
    /// <summary>
    /// Detaches the parameters and buffers of a module from the dispose scope in which they were created; the module frees them.
    /// </summary>
    public static void DetachFromDisposeScope(this nn.Module module)
    {
        foreach (var value in module.state_dict().Values)
            value.DetachFromDisposeScope();
    }
}

/// <summary>A reusable float32 tensor for rows of features that is filled from managed code.</summary>
internal sealed unsafe class FeatureBlock : IDisposable
{
    private readonly Tensor _tensor;
    private readonly float* _values;
    private bool _disposed;

    public FeatureBlock(int capacity, int width)
    {
        Capacity = capacity;
        Width = width;
        _tensor = torch.zeros([capacity, width], ScalarType.Float32, CPU).DetachFromDisposeScope();
        _values = TensorMemory.Pointer<float>(_tensor);
    }

    public int Capacity { get; }

    public int Width { get; }

    public Span<float> Row(int index)
    {
        // A cursor that is read after its end would otherwise read memory that was freed.
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new(_values + ((long)index * Width), Width);
    }

    /// <summary>Returns the first rows as one span.</summary>
    public Span<float> Values(int rows) => new(_values, rows * Width);

    /// <summary>Returns some rows as a tensor that shares the memory of the block and belongs to the current dispose scope.</summary>
    public Tensor Rows(int first, int count) => _tensor.narrow(0, first, count);

    public void Dispose()
    {
        _disposed = true;
        _tensor.Dispose();
    }
}
