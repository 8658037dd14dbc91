using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.LanguageModels;

/// <summary>A recurrent state that outlives the dispose scope that it was made in.</summary>
internal sealed class CarriedState : IDisposable
{
    /// <summary>The tensors <c>[1, batch, hidden units]</c>, or null at the beginning: zeros.</summary>
    public Tensor[]? Value { get; private set; }

    /// <summary>The state of the first sequences of the batch alone; belongs to the current dispose scope.</summary>
    public Tensor[]? First(int count) => Value == null || Value[0].shape[1] == count
        ? Value
        : Array.ConvertAll(Value, part => part.narrow(1, 0, count));

    public void Keep(Tensor[] state)
    {
        Clear();
        Value = Array.ConvertAll(state, part => part.detach().DetachFromDisposeScope());
    }

    public void Clear()
    {
        foreach (var part in Value ?? [])
            part.Dispose();
        Value = null;
    }

    public void Dispose() => Clear();
}
