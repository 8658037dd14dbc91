using System.Numerics;
using TorchSharp;

namespace MLExtensions.Training;

/// <summary>
/// One optimizer's formula for one step, on a register of elements and on whole tensors. A struct, so that the loop over
/// memory is compiled once per rule with the formula inlined.
/// </summary>
internal interface IUpdateRule
{
    /// <summary>Names of the state buffers, as torch calls them; two at most.</summary>
    static abstract IReadOnlyList<string> StateNames { get; }

    /// <summary>The same number as a constant for the compiler.</summary>
    static abstract int StateCount { get; }

    /// <summary>Returns the new parameters; updates the states in use.</summary>
    Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> first, ref Vector<float> second);

    /// <summary>Does the same in place.</summary>
    void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states);
}
