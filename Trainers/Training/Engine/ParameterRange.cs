namespace MLExtensions.Training.Engine;

/// <summary>A range of a flat parameter set whose parameters are trained alike.</summary>
/// <param name="Start">The first element.</param>
/// <param name="End">The element behind the last one.</param>
/// <param name="IsRegularized">Whether these are weights; biases and normalisation are not regularised.</param>
/// <param name="Rule">The rule for them, or null.</param>
internal sealed record ParameterRange(long Start, long End, bool IsRegularized, LayerRule? Rule);
