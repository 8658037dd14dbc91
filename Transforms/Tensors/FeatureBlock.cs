using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>A reused float32 tensor of some rows of features that is filled from managed code.</summary>
internal sealed unsafe class FeatureBlock : IDisposable
{
    private readonly Tensor _tensor;
    private readonly float* _values;

    public FeatureBlock(int capacity, int width)
    {
        Capacity = capacity;
        Width = width;
        _tensor = torch.zeros([capacity, width]).DetachFromDisposeScope();
        _values = TensorMemory.Pointer<float>(_tensor);
    }

    public int Capacity { get; }

    public int Width { get; }

    public Span<float> Row(int index) => new(_values + ((long)index * Width), Width);

    /// <summary>The first rows as one span.</summary>
    public Span<float> Values(int rows) => new(_values, rows * Width);

    /// <summary>Some rows as a tensor that shares the block's memory; belongs to the current dispose scope.</summary>
    public Tensor Rows(int first, int count) => _tensor.narrow(0, first, count);

    public void Dispose() => _tensor.Dispose();
}
