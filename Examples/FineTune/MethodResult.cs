namespace MLExtensions.Examples.FineTune;

/// <summary>How well a way to learn from few pictures did.</summary>
/// <param name="Title">The way.</param>
/// <param name="Measured">What it was measured on.</param>
/// <param name="Accuracy">The share of pictures that were classified rightly.</param>
/// <param name="Minutes">How long it took, pictures read and network run included.</param>
internal sealed record MethodResult(string Title, string Measured, double Accuracy, double Minutes);
