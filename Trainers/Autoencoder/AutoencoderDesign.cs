using MLExtensions.Models;
using MLExtensions.Rbm;

namespace MLExtensions.Autoencoder;

/// <summary>Makes an architecture of the options, of what the initial model is, and of defaults, in this order.</summary>
internal sealed class AutoencoderDesign
{
    private readonly AutoencoderEstimator.Options _options;
    private readonly AutoencoderArchitecture? _given;
    private readonly bool _isUnrolled;

    /// <exception cref="ArgumentException">The initial model has no network, or one that cannot be unrolled.</exception>
    public AutoencoderDesign(AutoencoderEstimator.Options options, IInitialWeights? initial)
    {
        _options = options;
        _isUnrolled = initial is RbmWeights;
        _given = initial is RbmWeights stack ? stack.Unroll() : initial?.Architecture as AutoencoderArchitecture;
        Output = options.Output ?? _given?.Output ?? AutoencoderOutput.Probability;
    }

    public AutoencoderOutput Output { get; }

    /// <exception cref="ArgumentException">The options say otherwise than the stack of machines that training starts from.</exception>
    public AutoencoderArchitecture CreateArchitecture(int featureCount)
    {
        var hidden = _options.HiddenUnits ?? _given?.EncoderLayers.SkipLast(1).Select(layer => layer.Units).ToArray() ?? AutoencoderEstimator.Options.DefaultHiddenUnits;
        var code = new AutoencoderLayer(
            _options.CodeSize ?? _given?.CodeSize ?? AutoencoderEstimator.Options.DefaultCodeSize,
            _options.CodeActivation ?? _given?.EncoderLayers[^1].Activation ?? Activation.Identity);
        var architecture = new AutoencoderArchitecture
        {
            InputCount = featureCount,
            OutputCount = featureCount,
            EncoderLayers = [.. hidden.Select((units, i) => new AutoencoderLayer(units, HiddenActivation(i))), code],
            Output = Output,
        };
        if (_isUnrolled && architecture != _given)
            throw Differs(architecture, _given!);
        return architecture;
    }

    private Activation HiddenActivation(int layer) =>
        _options.Activation ?? (layer < _given?.EncoderLayers.Count - 1 ? _given!.EncoderLayers[layer].Activation : Activation.ReLU);

    private static ArgumentException Differs(AutoencoderArchitecture wanted, AutoencoderArchitecture unrolled) => new(
        $"InitialModel unrolls to {Describe(unrolled)}; column and options say {Describe(wanted)}. HiddenUnits, CodeSize, Activation, CodeActivation and Output must be those of the machines, or null.",
        nameof(TrainingOptions.InitialModel));

    private static string Describe(AutoencoderArchitecture architecture) =>
        $"{architecture.InputCount} {architecture.Output} - {string.Join(" - ", architecture.EncoderLayers.Select(layer => $"{layer.Units} {layer.Activation}"))}";
}
