using MLExtensions.Distribution;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>Gradients of several batches, and of all ranks, as one: each is multiplied by the examples that it is the mean of.</summary>
/// <param name="parameters">The parameters, whose gradients become the sum.</param>
/// <param name="settings">How many batches make an update, and which ranks.</param>
internal sealed class GradientSum(ParameterSet parameters, OptimizationSettings settings) : IDisposable
{
    private readonly ProcessGroup? _group = settings.Distributed?.Group;
    private Tensor? _kept;
    private double _keptExamples;
    private int _batches;

    /// <summary>Adds the gradients of a batch.</summary>
    /// <param name="examples">The number of examples that they are the mean of.</param>
    /// <param name="isLast">Whether no batch follows.</param>
    /// <returns>What makes a mean of the gradients that are now in the parameters; null if more batches are to come.</returns>
    public double? Add(int examples, bool isLast)
    {
        if (_group == null && settings.AccumulationSteps == 1)
            return 1;
        using var noGradient = no_grad();
        parameters.Gradients.mul_(Number.Of(examples));
        _keptExamples += examples;
        if (settings.AccumulationSteps > 1 && !Keep(isLast))
            return null;
        var total = _keptExamples;
        if (_group != null)
            total = _group.Sum(parameters.Gradients, total, settings.Distributed!.GradientPrecision);
        (_keptExamples, _batches) = (0, 0);
        return 1 / total;
    }

    /// <summary>Forgets gradients that made no update.</summary>
    public void Clear()
    {
        (_keptExamples, _batches) = (0, 0);
        _kept?.zero_();
    }

    public void Dispose() => _kept?.Dispose();

    /// <summary>Adds the gradients to those that are kept, or those that are kept to the gradients if there are enough.</summary>
    private bool Keep(bool isLast)
    {
        _kept ??= zeros_like(parameters.Gradients).DetachFromDisposeScope();
        if (++_batches == settings.AccumulationSteps || isLast)
        {
            parameters.Gradients.add_(_kept, Number.One);
            _kept.zero_();
            return true;
        }
        _kept.add_(parameters.Gradients, Number.One);
        parameters.DiscardGradients();
        return false;
    }
}
