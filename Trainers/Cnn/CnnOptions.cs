using MLExtensions.Training;

namespace MLExtensions;

/// <summary>What can be set on a convolutional network, whatever the task.</summary>
public abstract class CnnOptions : ImageOptions
{
    private protected CnnOptions()
    {
    }

    /// <summary>
    /// The layers, from the image to the outputs; <see cref="CnnLayers"/> has well-known networks. A <see cref="DenseLayer"/> or
    /// <see cref="ConvolutionLayer"/> without a number takes the number of outputs from the task. Default <see cref="CnnLayers.Default"/>.
    /// </summary>
    public IReadOnlyList<NetworkLayer> Layers { get; set; } = CnnLayers.Default();

    internal override TrainingOptions Snapshot()
    {
        var copy = (CnnOptions)base.Snapshot();
        copy.Layers = Layers.ToArray();
        return copy;
    }

    internal override void Check()
    {
        base.Check();
        OptionCheck.NotNull(Layers, nameof(Layers));
        OptionCheck.Require(Layers.Count > 0, "empty", nameof(Layers), "at least one layer");
        for (var i = 0; i < Layers.Count; i++)
            OptionCheck.NotNull(Layers[i], $"{nameof(Layers)}[{i}]");
    }

    private protected override ImageArchitecture CreateArchitecture(ImageInput input, int outputCount) => new CnnArchitecture
    {
        InputCount = checked((int)input.Shape.Count),
        OutputCount = outputCount,
        Image = input,
        Layers = Layers,
    };
}
