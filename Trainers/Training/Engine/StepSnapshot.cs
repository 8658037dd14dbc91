using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>A copy of what a step would put into the model: the resulting weights and the modules' buffers.</summary>
internal sealed class StepSnapshot : IDisposable
{
    private StepSnapshot(IReadOnlyList<(string Name, Tensor Value)> tensors) => Tensors = tensors;

    public IReadOnlyList<(string Name, Tensor Value)> Tensors { get; }

    public static StepSnapshot Take(TrainingStep step)
    {
        using var noGradient = no_grad();
        return new StepSnapshot(Results(step).Select(entry => (entry.Name, entry.Value.clone().DetachFromDisposeScope())).ToArray());
    }

    /// <summary>Puts the snapshot's weights into the step, as its result.</summary>
    public void Restore(TrainingStep step)
    {
        using var noGradient = no_grad();
        foreach (var ((_, target), (_, value)) in Results(step).Zip(Tensors))
            target.copy_(value);
    }

    public void Dispose()
    {
        foreach (var (_, value) in Tensors)
            value.Dispose();
    }

    private static IEnumerable<(string Name, Tensor Value)> Results(TrainingStep step)
    {
        foreach (var network in step.Networks)
        {
            yield return (network.Name, network.Result);
            foreach (var (buffer, value) in network.Parameters.Buffers)
                yield return ($"{network.Name}.{buffer}", value);
        }
    }
}
