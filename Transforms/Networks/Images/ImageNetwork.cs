using static TorchSharp.torch;

namespace MLExtensions.Networks.Images;

/// <summary>The module of every image network: rows of features, or images, to <c>[rows, outputs]</c>.</summary>
internal sealed class ImageNetwork : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor>[] _layers;

    public ImageNetwork(ImageInput input, IEnumerable<PlacedLayer> layers)
        : base(nameof(ImageNetwork))
    {
        Input = input;
        _layers = LayerChain.Register(this, layers);
    }

    public ImageInput Input { get; }

    public override Tensor forward(Tensor x)
    {
        var images = Input.Prepare(Input.ToImages(x));
        var outputs = Run(images);
        return Input.TestTimeFlip && !training
            ? outputs.add_(Run(images.flip(3))).div_(2)
            : outputs;
    }

    private Tensor Run(Tensor x)
    {
        foreach (var layer in _layers)
            x = layer.call(ChannelsLast.Arrange(x));
        return x;
    }
}
