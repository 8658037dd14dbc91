using MLExtensions.Engine;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Reinforcement;

/// <summary>A network as its training uses it: the values of all actions in the states of a batch, and what their gradients do to it.</summary>
internal abstract class ActionValues : IDisposable
{
    /// <param name="network">The network, which must live as long as the returned object.</param>
    /// <param name="rows">The rows of each batch.</param>
    /// <param name="precision">The precision that it is trained in.</param>
    /// <param name="learns">Whether <see cref="Backward"/> follows.</param>
    public static ActionValues Of(TrainedNetwork network, int rows, Precision precision, bool learns) =>
        (MatrixProduct.IsFast ? HostPerceptron.Find(network, rows, precision) : null) ?? ByTorch(network, learns);

    /// <summary>Leaves a network to libtorch.</summary>
    public static ActionValues ByTorch(TrainedNetwork network, bool learns) => new TorchValues(network, learns);

    /// <summary>Computes the values. Runs in the dispose scope of the step.</summary>
    /// <param name="states">The states, <c>[rows, values of a state]</c>.</param>
    /// <param name="values">Receives the values, <c>[rows, actions]</c>.</param>
    public abstract void Compute(HostTensor<float> states, Span<float> values);

    /// <summary>Turns the gradients of the values that were computed last into those of the weights, which were zero.</summary>
    /// <param name="gradients">The gradients, <c>[rows, actions]</c>.</param>
    public abstract void Backward(HostTensor<float> gradients);

    public virtual void Dispose()
    {
    }

    /// <summary>Any network, anywhere.</summary>
    private sealed class TorchValues(TrainedNetwork network, bool learns) : ActionValues
    {
        private Tensor? _outputs;

        public override void Compute(HostTensor<float> states, Span<float> values)
        {
            using var noGradient = learns ? null : no_grad();
            _outputs = network.Forward(states.Tensor.to(network.Device));
            TensorMemory.Floats(_outputs.detach().cpu().contiguous()).CopyTo(values);
        }

        public override void Backward(HostTensor<float> gradients) =>
            _outputs!.backward([gradients.Tensor.to(network.Device)]);
    }
}
