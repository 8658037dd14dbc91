using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Networks;

/// <summary>
/// Dropout (Srivastava et al., 2014) with a separate generator per model, so that models that train at the same time do not affect each
/// other's random numbers.
/// </summary>
internal sealed class SeededDropout : nn.Module<Tensor, Tensor>
{
    private readonly double _probability;

    public SeededDropout(double probability)
        : base(nameof(SeededDropout)) => _probability = probability;

    /// <summary>Set by the engine during training; null uses the generator of the process (the only one for CUDA).</summary>
    public Generator? Generator { get; set; }

    public override Tensor forward(Tensor x)
    {
        if (!training || _probability == 0)
            return x;
        var mask = empty_like(x, requires_grad: false).bernoulli_(1 - _probability, Generator).div_(Number.Of(1 - _probability));
        return x * mask;
    }
}
