using System.Text;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Distribution;

/// <summary>Sums tensors on the GPUs of the ranks without host memory.</summary>
internal sealed class NcclSum : IDisposable
{
    private readonly NcclLibrary _nccl;
    private readonly ProcessGroup _group;
    private readonly int _device;
    private nint _communicator;

    /// <summary>Connects the GPUs; all ranks do it at the same time.</summary>
    /// <param name="nccl">The library.</param>
    /// <param name="group">The ranks.</param>
    /// <param name="device">The number of this rank's GPU.</param>
    /// <exception cref="DistributedException">NCCL cannot connect them, for example because two ranks have one GPU.</exception>
    public NcclSum(NcclLibrary nccl, ProcessGroup group, int device)
    {
        (_nccl, _group, _device) = (nccl, group, device);
        var id = group.Broadcast(group.Rank == 0 ? nccl.CreateId() : []);
        using var _ = nccl.Cuda.Use(device);
        _communicator = nccl.Connect(id, group.Rank, group.Size);
    }

    /// <summary>
    /// Chooses how a training sums: on the GPUs if all ranks have one and NCCL, else in host memory. All ranks call it.
    /// </summary>
    /// <param name="group">The ranks.</param>
    /// <param name="device">The device of this rank.</param>
    /// <param name="load">Loads NCCL.</param>
    /// <returns>Why GPUs sum in host memory; null if they do not, or if there are none.</returns>
    public static string? Choose(ProcessGroup group, Device device, Func<(NcclLibrary? Library, string? Missing)> load)
    {
        var (library, missing) = device.type == DeviceType.CUDA ? load() : (null, "it trains on the CPU");
        var reasons = Array.ConvertAll(group.Gather(Encoding.UTF8.GetBytes(missing ?? "")), Encoding.UTF8.GetString);
        var first = Array.FindIndex(reasons, reason => reason.Length > 0);
        if (first < 0)
        {
            // Several trainings may follow one another, as those of a stack of machines.
            group.OnDevice ??= new NcclSum(library!, group, device.index);
            return null;
        }
        group.OnDevice?.Dispose();
        group.OnDevice = null;
        return device.type == DeviceType.CUDA ? FormattableString.Invariant($"Gradients on GPUs are summed in host memory, because of rank {first}: {reasons[first]}.") : null;
    }

    /// <summary>Loads NCCL as the environment says.</summary>
    public static (NcclLibrary? Library, string? Missing) Load() =>
        (NcclLibrary.TryLoad(Environment.GetEnvironmentVariable(NcclLibrary.PathVariable), null, out var missing), missing);

    /// <summary>Sums a contiguous float32 tensor over all ranks, in place.</summary>
    public void Sum(Tensor values)
    {
        if (values.dtype != ScalarType.Float32 || !values.is_contiguous())
            throw new ArgumentException($"A {values.dtype} tensor is to be summed; it must be contiguous and Float32.");
        ObjectDisposedException.ThrowIf(_communicator == 0, this);
        using var _ = _nccl.Cuda.Use(_device);
        _nccl.BeginSum(_communicator, TensorMemory.DeviceAddress(values), values.NumberOfElements);
        // A rank that is gone would otherwise be waited for in libtorch, where nobody looks at the time.
        _group.WaitUntil(() =>
        {
            _nccl.CheckProgress(_communicator);
            return _nccl.Cuda.IsIdle();
        });
        GC.KeepAlive(values);
    }

    /// <summary>Ends it when something has gone wrong.</summary>
    public void Abort()
    {
        if (_communicator != 0)
            _nccl.Abort(_communicator);
        _communicator = 0;
    }

    public void Dispose()
    {
        if (_communicator == 0)
            return;
        var communicator = _communicator;
        _communicator = 0;
        using var _ = _nccl.Cuda.Use(_device);
        _nccl.Disconnect(communicator);
    }
}
