using System.Runtime.InteropServices;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace MLExtensions.Engine;

/// <summary>
/// Looks at the networks after an epoch. The loss of a batch shows only what the step before it has done: without this, the last step of a
/// training would be seen by nobody, and a checkpoint could be replaced by NaN.
/// </summary>
internal static class DivergenceCheck
{
    // No network computes with such weights: their products leave the range of float32.
    private const float Largest = 1e30f;

    /// <summary>Checks weights, their moving average and the statistics of batch normalization.</summary>
    /// <param name="step">The networks in training.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="batch">The last batch of the epoch.</param>
    /// <exception cref="TrainingDivergedException">One is not finite; the message names it.</exception>
    public static void CheckWeights(TrainingStep step, int epoch, int batch)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach (var network in step.Networks)
        {
            Check(network.Parameters.Weights, "weights", network, Largest);
            if (network.Average is { } average)
                Check(average, "moving average of the weights", network, Largest);
            foreach (var (name, value) in network.Parameters.Buffers)
                Check(value, $"'{name}'", network, float.MaxValue);
        }

        void Check(Tensor values, string what, TrainedNetwork network, float largest)
        {
            if (!values.is_floating_point() || values.NumberOfElements == 0)
                return;
            var magnitude = LargestOf(values);
            if (!(magnitude <= largest))
                throw new TrainingDivergedException(epoch, batch, Describe(values, what, network, largest), magnitude, FormattableString.Invariant($"after batch {batch}"), step.DivergenceAdvice);
        }
    }

    /// <summary>The largest absolute value; NaN if there is one.</summary>
    public static float LargestOf(Tensor values)
    {
        if (values.device_type != DeviceType.CPU || values.dtype != ScalarType.Float32)
            return values.detach().abs().max().to(ScalarType.Float32).item<float>();
        var largest = 0f;
        TensorMemory.ForEachPiece(values.detach().contiguous(), piece => largest = MathF.MaxMagnitude(largest, MathF.Abs(TensorPrimitives.MaxMagnitude<float>(MemoryMarshal.Cast<byte, float>(piece)))));
        return largest;
    }

    /// <summary>Names the parameter, which may be one of many.</summary>
    private static string Describe(Tensor values, string what, TrainedNetwork network, float largest)
    {
        var owner = $"of the {network.Name}";
        if (values.NumberOfElements != network.Parameters.Weights.NumberOfElements)
            return $"{char.ToUpperInvariant(what[0])}{what[1..]} {owner}";
        var name = network.Parameters.Split(values).First(entry => !(LargestOf(entry.Value) <= largest)).Name;
        return $"'{name}' (the {what} {owner})";
    }
}
