using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>A layer without parameters.</summary>
internal sealed class FunctionModule(string name, Func<Tensor, Tensor> function) : nn.Module<Tensor, Tensor>(name)
{
    public override Tensor forward(Tensor x) => function(x);
}
