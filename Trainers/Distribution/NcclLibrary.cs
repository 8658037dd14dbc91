using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MLExtensions.Distribution;

/// <summary>
/// What is used of NCCL, NVIDIA's library for sums over GPUs. PyTorch's wheel and its packages bring it; it is loaded by name when ranks train on
/// GPUs, so that nobody else needs it.
/// </summary>
internal sealed unsafe class NcclLibrary
{
    /// <summary>Names another file of the library; <see cref="Off"/> for none.</summary>
    public const string PathVariable = "NCCL_LIBRARY";

    /// <summary>The value of the variable that has gradients summed in host memory.</summary>
    public const string Off = "none";

    private const int Float32 = 7; // ncclFloat32
    private const int Sum = 0; // ncclSum
    private const int InProgress = 7; // ncclInProgress

    private readonly nint _library;
    private readonly delegate* unmanaged<nint, nint, nuint, int, int, nint, nint, int> _sumAll;
    private readonly delegate* unmanaged<nint, int*, int> _asyncError;
    private readonly delegate* unmanaged<int, nint> _errorText;

    private NcclLibrary(nint library, CudaRuntime cuda)
    {
        (_library, Cuda) = (library, cuda);
        _sumAll = (delegate* unmanaged<nint, nint, nuint, int, int, nint, nint, int>)Export("ncclAllReduce");
        _asyncError = (delegate* unmanaged<nint, int*, int>)Export("ncclCommGetAsyncError");
        _errorText = (delegate* unmanaged<int, nint>)Export("ncclGetErrorString");
    }

    public CudaRuntime Cuda { get; }

    /// <summary>Loads the library.</summary>
    /// <param name="path">Its path or name; null for the usual ones.</param>
    /// <param name="cuda">CUDA's runtime; null for that of this process.</param>
    /// <param name="missing">Why it was not loaded.</param>
    public static NcclLibrary? TryLoad(string? path, CudaRuntime? cuda, out string? missing)
    {
        missing = null;
        cuda ??= CudaRuntime.Find();
        if (path == Off)
            missing = $"{PathVariable} is '{Off}'";
        else if (cuda == null)
            missing = "CUDA's runtime library libcudart was not found";
        else if (path == null ? NativeLibrary.TryLoad("libnccl.so.2", out var library) || NativeLibrary.TryLoad("libnccl.so", out library) : NativeLibrary.TryLoad(path, out library))
            return TryBind(library, cuda, out missing);
        else
            missing = path == null ? $"NCCL's library libnccl.so.2 was not found (PyTorch's wheel has it; {PathVariable} names another path)" : $"{PathVariable} is '{path}', which cannot be loaded";
        return null;
    }

    /// <summary>What the ranks find each other by; one makes it for all.</summary>
    public byte[] CreateId()
    {
        var id = new UniqueId();
        Check(((delegate* unmanaged<UniqueId*, int>)Export("ncclGetUniqueId"))(&id));
        return new ReadOnlySpan<byte>(&id, sizeof(UniqueId)).ToArray();
    }

    /// <summary>Connects the current GPU with those of the other ranks; returns when all have come.</summary>
    public nint Connect(byte[] id, int rank, int size)
    {
        nint communicator;
        Check(((delegate* unmanaged<nint*, int, UniqueId, int, int>)Export("ncclCommInitRank"))(&communicator, size, MemoryMarshal.Read<UniqueId>(id), rank));
        return communicator;
    }

    /// <summary>Begins to sum float32 numbers on the current GPU over all ranks, in place, after what libtorch has given it to do.</summary>
    public void BeginSum(nint communicator, nint values, long count) => Check(_sumAll(values, values, (nuint)count, Float32, Sum, communicator, 0));

    /// <summary>Throws what has gone wrong since a sum was begun.</summary>
    public void CheckProgress(nint communicator)
    {
        int error;
        Check(_asyncError(communicator, &error));
        if (error != InProgress)
            Check(error);
    }

    /// <summary>Ends a connection in which nothing is under way.</summary>
    public void Disconnect(nint communicator) => Check(((delegate* unmanaged<nint, int>)Export("ncclCommDestroy"))(communicator));

    /// <summary>Ends a connection whatever is under way, so that the GPU waits for nobody.</summary>
    public void Abort(nint communicator) => _ = ((delegate* unmanaged<nint, int>)Export("ncclCommAbort"))(communicator);

    private static NcclLibrary? TryBind(nint library, CudaRuntime cuda, out string? missing)
    {
        try
        {
            missing = null;
            return new NcclLibrary(library, cuda);
        }
        catch (EntryPointNotFoundException e)
        {
            missing = $"NCCL's library is too old or another one: {e.Message}";
            return null;
        }
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);

    private void Check(int code)
    {
        if (code != 0)
            throw new DistributedException($"NCCL reports: {Marshal.PtrToStringUTF8(_errorText(code))}. With NCCL_DEBUG=INFO it says more; {PathVariable}={Off} sums gradients in host memory.");
    }

    [InlineArray(128)]
    private struct UniqueId
    {
        private byte _first;
    }
}
