using System.Runtime.InteropServices;
using MLExtensions.Distribution;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training;

/// <summary>
/// The features of all rows in the memory of a device, where batches are picked out of them: a GPU would else wait for each batch to come over the bus.
/// </summary>
internal sealed class DeviceFeatures : IDisposable
{
    // What is free is also for weights, gradients and activations, which are not there yet.
    private const double LargestShare = 0.5;
    private const long UsualLimit = 1L << 30;
    private const long PieceBytes = 64 << 20;

    private readonly Tensor? _values;

    /// <param name="features">The features in host memory.</param>
    /// <param name="device">The device.</param>
    /// <param name="limit">The most bytes that they may take; null for half of what is free on the device.</param>
    public DeviceFeatures(FloatColumn features, Device device, long? limit = null)
    {
        Device = device;
        var bytes = (long)features.Count * features.Width * sizeof(float);
        if (bytes > (limit ?? LimitOf(device)))
            return;
        try
        {
            _values = Copy(features, device);
        }
        catch (ExternalException)
        {
            // Another process has taken the memory meanwhile: batches are copied one by one.
        }
    }

    public Device Device { get; }

    /// <summary>Whether there was room for them.</summary>
    public bool Fits => _values is not null;

    /// <summary>Returns some rows, on the device; the caller disposes them.</summary>
    public Tensor Take(ReadOnlySpan<int> which)
    {
        var places = new long[which.Length];
        for (var i = 0; i < places.Length; i++)
            places[i] = which[i];
        using var scope = NewDisposeScope();
        return _values!.index_select(0, tensor(places, ScalarType.Int64, CPU).to(Device)).DetachFromDisposeScope();
    }

    public void Dispose() => _values?.Dispose();

    private static long LimitOf(Device device) =>
        device.type != DeviceType.CUDA ? long.MaxValue : CudaRuntime.Find() is { } runtime ? (long)(LargestShare * runtime.FreeMemory(device.index)) : UsualLimit;

    private static Tensor Copy(FloatColumn features, Device device)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var values = empty([features.Count, features.Width], ScalarType.Float32, device);
        var step = (int)Math.Clamp(PieceBytes / sizeof(float) / features.Width, 1, Math.Max(1, features.Count));
        using var block = new FeatureBlock(step, features.Width);
        for (var first = 0; first < features.Count; first += step)
        {
            var count = Math.Min(step, features.Count - first);
            for (var row = 0; row < count; row++)
                features[first + row].CopyTo(block.Row(row));
            using var part = values.narrow(0, first, count);
            using var piece = block.Rows(0, count);
            part.copy_(piece);
        }
        return values.DetachFromDisposeScope();
    }
}
