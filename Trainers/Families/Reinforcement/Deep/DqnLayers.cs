namespace MLExtensions;

/// <summary>Layers of published deep Q-networks, for <see cref="DqnEstimator.Options.Layers"/>. The number of actions determines the last one.</summary>
public static class DqnLayers
{
    /// <summary>Dense layers with ReLU: for states that are measurements, or numbers.</summary>
    /// <param name="units">The hidden units of each layer. Default: two layers of 256.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public static IReadOnlyList<ImageLayer> Perceptron(params IReadOnlyList<int> units)
    {
        ArgumentNullException.ThrowIfNull(units);
        foreach (var count in units)
            ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(units));
        return [.. (units.Count == 0 ? [256, 256] : units).SelectMany(count => (ImageLayer[])[new DenseLayer(count), new ActivationLayer()]), new DenseLayer()];
    }

    /// <summary>
    /// The network of MinAtar for 10 x 10 pixels (Young and Tian, 2019): a 3x3 convolution of 16 filters and 128 hidden units.
    /// </summary>
    public static IReadOnlyList<ImageLayer> MinAtar() =>
    [
        new ConvolutionLayer(16, 3), new ActivationLayer(),
        new FlattenLayer(),
        new DenseLayer(128), new ActivationLayer(),
        new DenseLayer(),
    ];

    /// <summary>
    /// The network of Mnih et al., "Human-level control through deep reinforcement learning", Nature, 2015, for 4 gray images of 84 x 84
    /// pixels: convolutions of 32, 64 and 64 filters, and 512 hidden units.
    /// </summary>
    public static IReadOnlyList<ImageLayer> Nature() =>
    [
        new ConvolutionLayer(32, 8) { Stride = 4 }, new ActivationLayer(),
        new ConvolutionLayer(64, 4) { Stride = 2 }, new ActivationLayer(),
        new ConvolutionLayer(64, 3), new ActivationLayer(),
        new FlattenLayer(),
        new DenseLayer(512), new ActivationLayer(),
        new DenseLayer(),
    ];
}
