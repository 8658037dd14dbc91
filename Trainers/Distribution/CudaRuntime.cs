using System.Runtime.InteropServices;
using MLExtensions.Native;

namespace MLExtensions.Distribution;

/// <summary>What is used of CUDA's runtime library, which libtorch has loaded on a machine with a GPU.</summary>
internal sealed unsafe class CudaRuntime
{
    private const int NotReady = 600;

    private static readonly string[] Names = OperatingSystem.IsWindows()
        ? ["cudart64_13.dll", "cudart64_12.dll"]
        : ["libcudart.so.13", "libcudart.so.12", "libcudart.so"];

    private static readonly Lazy<CudaRuntime?> Found = new(() => NativeFiles.FindLoaded("libcudart") is { } loaded && NativeLibrary.TryLoad(loaded, out var own)
        ? new CudaRuntime(own)
        : Names.Select(name => NativeLibrary.TryLoad(name, out var library) ? new CudaRuntime(library) : null).FirstOrDefault(runtime => runtime != null));

    private readonly delegate* unmanaged<int*, int> _getDevice;
    private readonly delegate* unmanaged<int, int> _setDevice;
    private readonly delegate* unmanaged<nint, int> _queryStream;
    private readonly delegate* unmanaged<nuint*, nuint*, int> _memory;
    private readonly delegate* unmanaged<int, nint> _errorText;

    public CudaRuntime(nint library)
    {
        _getDevice = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cudaGetDevice");
        _setDevice = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "cudaSetDevice");
        _queryStream = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "cudaStreamQuery");
        _memory = (delegate* unmanaged<nuint*, nuint*, int>)NativeLibrary.GetExport(library, "cudaMemGetInfo");
        _errorText = (delegate* unmanaged<int, nint>)NativeLibrary.GetExport(library, "cudaGetErrorString");
    }

    /// <summary>The library of this process, or null.</summary>
    public static CudaRuntime? Find() => Found.Value;

    /// <summary>The bytes that are free on a GPU.</summary>
    public long FreeMemory(int device)
    {
        using var _ = Use(device);
        nuint free, total;
        Check(_memory(&free, &total));
        return (long)free;
    }

    /// <summary>Whether a GPU, the current one, has computed all that it was given.</summary>
    public bool IsIdle()
    {
        var code = _queryStream(0); // libtorch computes on the default stream
        if (code != NotReady)
            Check(code);
        return code == 0;
    }

    /// <summary>Makes a GPU the current one of this thread until the returned object is disposed.</summary>
    /// <param name="device">Its number; -1 for the one that is current.</param>
    public CurrentDevice Use(int device) => new(this, device);

    private void Check(int code)
    {
        if (code != 0)
            throw new InvalidOperationException($"CUDA reports: {Marshal.PtrToStringUTF8(_errorText(code))}");
    }

    /// <summary>A GPU as long as it is current.</summary>
    public readonly ref struct CurrentDevice
    {
        private readonly CudaRuntime _runtime;
        private readonly int _before;

        public CurrentDevice(CudaRuntime runtime, int device)
        {
            _runtime = runtime;
            int before;
            runtime.Check(runtime._getDevice(&before));
            _before = before;
            if (device >= 0 && device != before)
                runtime.Check(runtime._setDevice(device));
        }

        public void Dispose() => _runtime.Check(_runtime._setDevice(_before));
    }
}
