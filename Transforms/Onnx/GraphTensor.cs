namespace MLExtensions.Onnx;

/// <summary>Weights as plain memory, row-major: what a graph needs of a network.</summary>
/// <param name="Values">The values.</param>
/// <param name="Shape">The sizes of the dimensions.</param>
internal sealed record GraphTensor(float[] Values, params long[] Shape);
