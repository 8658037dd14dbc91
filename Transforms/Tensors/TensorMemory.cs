using System.Runtime.InteropServices;
using MLExtensions.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>Direct access to the memory of contiguous tensors on the CPU.</summary>
internal static unsafe class TensorMemory
{
    private const int PieceBytes = 16 * 1024 * 1024;

    // TorchSharp hands out addresses of host memory only.
    private static readonly Lazy<nint> AddressFunction = new(() => NativeLibrary.GetExport(NativeLibrary.Load(NativeFiles.Shim, typeof(torch).Assembly, null), "THSTensor_data"));

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

    /// <summary>The address of the first element on any device, for native code that works there. The caller keeps the tensor alive.</summary>
    public static nint DeviceAddress(Tensor tensor)
    {
        var address = ((delegate* unmanaged<nint, nint>)AddressFunction.Value)(tensor.Handle);
        if (address == 0)
            CheckForErrors();
        return address;
    }

    /// <summary>
    /// Computes a tensor and frees what was needed on the way as far as no gradient needs it: tensors as large as pictures would otherwise live to
    /// the end of the caller's scope.
    /// </summary>
    /// <returns>The tensor, which belongs to the caller's scope.</returns>
    public static Tensor WithoutIntermediates(Func<Tensor> compute)
    {
        using var scope = NewDisposeScope();
        var result = compute();
        return scope.Contains(result) ? scope.MoveToOuter(result) : result;
    }

    /// <summary>Replaces a tensor of the caller's by one computed from it; the old one is freed as far as no gradient needs it.</summary>
    public static Tensor Replace(Tensor old, Func<Tensor, Tensor> compute)
    {
        var result = WithoutIntermediates(() => compute(old));
        if (!ReferenceEquals(result, old))
            old.Dispose();
        return result;
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

/// <summary>A tensor in host memory, zero at first, that managed code fills and reads at its address. It outlives dispose scopes.</summary>
internal sealed unsafe class HostTensor<T> : IDisposable
    where T : unmanaged
{
    public HostTensor(params ReadOnlySpan<long> shape)
    {
        var type = default(T) switch
        {
            byte => ScalarType.Byte,
            int => ScalarType.Int32,
            long => ScalarType.Int64,
            float => ScalarType.Float32,
            _ => throw new NotSupportedException($"There are no tensors of {typeof(T).Name} here."),
        };
        Tensor = zeros(shape, type, CPU).DetachFromDisposeScope();
        Length = Tensor.NumberOfElements;
        Address = TensorMemory.Pointer<T>(Tensor);
    }

    /// <summary>The tensor, which shares the memory.</summary>
    public Tensor Tensor { get; }

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>The first element, until this object is disposed.</summary>
    public T* Address { get; }

    /// <summary>All elements.</summary>
    public Span<T> Values => new(Address, checked((int)Length));

    /// <summary>An element; the index is not checked.</summary>
    public ref T this[long index] => ref Address[index];

    /// <summary>Some elements; the range is not checked.</summary>
    public Span<T> Slice(long first, int count) => new(Address + first, count);

    public void Dispose() => Tensor.Dispose();
}

/// <summary>A reusable block of rows of float32 features that is filled from managed code.</summary>
internal sealed unsafe class FeatureBlock : IDisposable
{
    private readonly HostTensor<float>? _tensor;
    private readonly float[]? _array;
    private readonly float* _address;
    private bool _disposed;

    /// <summary>Creates a block that is a tensor.</summary>
    public FeatureBlock(int capacity, int width)
        : this(capacity, width, isTensor: true)
    {
    }

    private FeatureBlock(int capacity, int width, bool isTensor)
    {
        Capacity = capacity;
        Width = width;
        if (isTensor)
        {
            _tensor = new HostTensor<float>(capacity, width);
            _address = _tensor.Address;
            return;
        }
        _array = GC.AllocateArray<float>(checked(capacity * width), pinned: true);
        fixed (float* address = _array) // pinned for good: it stays there
            _address = address;
    }

    public int Capacity { get; }

    public int Width { get; }

    /// <summary>Creates a block to score, which is no tensor in a process that has not needed libtorch yet.</summary>
    public static FeatureBlock ForScoring(int capacity, int width) => new(capacity, width, TorchRuntime.IsInitialized);

    public Span<float> Row(int index)
    {
        // A cursor that is read after its end would otherwise read memory that was freed.
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new Span<float>(AddressOf(index), Width);
    }

    /// <summary>The first value of a row, until this object is disposed.</summary>
    public float* AddressOf(int row) => _address + ((long)row * Width);

    /// <summary>Returns the first rows as one span.</summary>
    public Span<float> Values(int rows) => new(_address, rows * Width);

    /// <summary>Returns some rows as a tensor that belongs to the current dispose scope, and shares the memory of the block if that is a tensor.</summary>
    public Tensor Rows(int first, int count) => _tensor != null
        ? _tensor.Tensor.narrow(0, first, count)
        : tensor(new Span<float>(AddressOf(first), count * Width).ToArray(), [count, Width], ScalarType.Float32, CPU);

    public void Dispose()
    {
        _disposed = true;
        _tensor?.Dispose();
    }
}
