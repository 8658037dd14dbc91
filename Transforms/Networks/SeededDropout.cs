using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Networks;

/// <summary>
/// Dropout (Srivastava et al., 2014) that draws from a generator of the model's own, so that another model that trains at the
/// same time does not change what this one draws.
/// </summary>
internal sealed class SeededDropout : nn.Module<Tensor, Tensor>
{
    private readonly double _probability;

    public SeededDropout(double probability)
        : base(nameof(SeededDropout)) => _probability = probability;

    /// <summary>Set by the engine while it trains; null draws from the process's generator (CUDA has no other).</summary>
    public Generator? Generator { get; set; }

    public override Tensor forward(Tensor x)
    {
        if (!training || _probability == 0)
            return x;
        var mask = empty_like(x, requires_grad: false).bernoulli_(1 - _probability, Generator).div_(1 - _probability);
        return x * mask;
    }
}
