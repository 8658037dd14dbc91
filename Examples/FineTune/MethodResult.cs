namespace MLExtensions.Examples.FineTune;

/// <summary>How well a method learned from few pictures.</summary>
/// <param name="Name">The method's name in the result line.</param>
/// <param name="Title">The method's name in tables.</param>
/// <param name="Measured">What it was measured on.</param>
/// <param name="Accuracy">The share of pictures that were classified correctly.</param>
/// <param name="Minutes">How long it took, including reading the pictures.</param>
internal sealed record MethodResult(string Name, string Title, string Measured, double Accuracy, double Minutes);
