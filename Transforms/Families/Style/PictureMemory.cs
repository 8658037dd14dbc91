using MLExtensions.Families.Images;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Style;

/// <summary>
/// What pictures take in networks, to refuse those that do not fit before anything is computed. Counted are the values that live at the worst moment;
/// 'values' are float32 numbers.
/// </summary>
internal static class PictureMemory
{
    /// <summary>A picture itself, per pixel: as an image, as numbers, and as a tensor.</summary>
    public const double ValuesPerPixel = 8;

    // A freed layer leaves a gap into which the next one may not fit. Fitted: of more than about 100 MB measured is .6 to 1.3 times of what comes out; less
    // comes out of what the process has free already.
    private const double Gaps = 1.3;

    // Code and buffers of libtorch that the first pictures need, however small they are.
    private const double Least = 16e6;

    // The copies of a layer's outputs while their deviations are computed.
    private const double MeasuredCopies = 2;

    // The gradients of a layer's outputs in terms of what is behind it, and their sum.
    private const double Gradients = 3;

    /// <summary>The bytes of a process that holds so many values at the worst moment.</summary>
    public static double BytesOf(double values) => Least + (Gaps * sizeof(float) * values);

    /// <summary>The values at the worst moment of a pass without a gradient: a layer's input, what is computed inside of it, and its output.</summary>
    public static double Passing(IEnumerable<PlacedLayer> layers) => layers.SelectMany(LossLayers.Chain)
        .Max(placed => Math.Max(placed.Input.Count + Inside(placed), MeasuredCopies * placed.Output.Count));

    /// <summary>The values at the worst moment of a pass with a gradient: what the layers keep for it, and the gradients of the largest one.</summary>
    public static double Learning(IEnumerable<PlacedLayer> layers)
    {
        var chain = layers.SelectMany(LossLayers.Chain).ToArray();
        return chain.SelectMany(LayerChain.LeavesOf).Sum(Kept) + (Gradients * chain.Max(placed => (double)placed.Output.Count));
    }

    private static double Kept(PlacedLayer placed) => placed.Layer switch
    {
        ActivationLayer when placed.Site.OwnsInput => 0,
        // With the place of each maximum, an integer of 64 bits.
        MaxPoolingLayer => 3.0 * placed.Output.Count,
        _ => placed.Output.Count,
    };

    /// <summary>Checks that there can be so much memory.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="what">What needs them, as the beginning of the message.</param>
    /// <param name="advice">What to do, as its end.</param>
    /// <exception cref="InsufficientMemoryException">This process cannot have so many bytes.</exception>
    public static void Check(double bytes, string what, string advice)
    {
        if (bytes > MachineMemory.Available)
            throw new InsufficientMemoryException($"{what} needs about {MachineMemory.Text(bytes)}; this process can have {MachineMemory.Text(MachineMemory.Available)}. {advice}");
    }

    private static double Inside(PlacedLayer placed)
    {
        var leaves = LayerChain.LeavesOf(placed).ToArray();
        return leaves is [var only]
            ? only.Layer is ActivationLayer && only.Site.OwnsInput ? 0 : only.Output.Count
            : leaves.Sum(leaf => (double)leaf.Output.Count) + placed.Output.Count;
    }
}
