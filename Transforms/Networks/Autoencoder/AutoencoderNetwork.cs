using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Networks.Autoencoder;

/// <summary>The module of <see cref="AutoencoderArchitecture"/>: <c>[rows, features]</c> to the same, of probabilities their logits.</summary>
internal sealed class AutoencoderNetwork : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<Linear> encoder;
    private readonly ModuleList<Linear> decoder;
    private readonly AutoencoderArchitecture _architecture;

    public AutoencoderNetwork(AutoencoderArchitecture architecture)
        : base(nameof(AutoencoderNetwork))
    {
        _architecture = architecture;
        encoder = nn.ModuleList<Linear>();
        decoder = nn.ModuleList<Linear>();
        var widths = architecture.EncoderLayers.Select(layer => layer.Units).Prepend(architecture.InputCount).ToArray();
        for (var i = 1; i < widths.Length; i++)
        {
            encoder.Add(nn.Linear(widths[i - 1], widths[i]));
            decoder.Add(nn.Linear(widths[^i], widths[^(i + 1)]));
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor features) => Decode(Encode(features));

    /// <summary><c>[rows, features]</c> to the code, <c>[rows, code]</c>.</summary>
    public Tensor Encode(Tensor features)
    {
        var layers = _architecture.EncoderLayers;
        for (var i = 0; i < layers.Count; i++)
            features = layers[i].Activation.Apply(encoder[i].call(features));
        return features;
    }

    /// <summary>The code, which is left alone, to what <see cref="Means"/> takes, <c>[rows, features]</c>.</summary>
    public Tensor Decode(Tensor code)
    {
        var layers = _architecture.EncoderLayers;
        for (var i = 0; i < layers.Count - 1; i++)
            code = layers[^(i + 2)].Activation.Apply(decoder[i].call(code));
        return decoder[layers.Count - 1].call(code);
    }

    /// <summary>The features that the decoder's outputs stand for, in their place: probabilities of logits.</summary>
    public Tensor Means(Tensor outputs) => _architecture.Output == AutoencoderOutput.Probability ? outputs.sigmoid_() : outputs;

    /// <summary>What the code says that the features were, <c>[rows, features]</c>.</summary>
    public Tensor Reconstruct(Tensor code) => Means(Decode(code));
}
