using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Networks;

/// <summary>The module of <see cref="MlpArchitecture"/>: <c>[rows, inputs]</c> to <c>[rows, outputs]</c>.</summary>
internal sealed class MlpNetwork : nn.Module<Tensor, Tensor>
{
    private readonly SeededDropout? input_dropout;
    private readonly ModuleList<MlpHiddenLayer> hidden;
    private readonly Linear output;

    public MlpNetwork(MlpArchitecture architecture)
        : base(nameof(MlpNetwork))
    {
        input_dropout = architecture.InputDropout > 0 ? new SeededDropout(architecture.InputDropout) : null;
        hidden = nn.ModuleList<MlpHiddenLayer>();
        var width = architecture.InputCount;
        foreach (var layer in architecture.HiddenLayers)
        {
            hidden.Add(new MlpHiddenLayer(width, layer));
            width = layer.Units;
        }
        output = nn.Linear(width, architecture.OutputCount);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        if (input_dropout != null)
            x = input_dropout.call(x);
        foreach (var layer in hidden)
            x = layer.call(x);
        return output.call(x);
    }
}

/// <summary>One hidden layer.</summary>
internal sealed class MlpHiddenLayer : nn.Module<Tensor, Tensor>
{
    private readonly Linear linear;
    private readonly BatchNorm1d? norm;
    private readonly PReLU? prelu;
    private readonly SeededDropout? dropout;
    private readonly Activation _activation;

    public MlpHiddenLayer(int inputs, MlpLayer layer)
        : base(nameof(MlpHiddenLayer))
    {
        _activation = layer.Activation;
        linear = nn.Linear(inputs, layer.Units);
        norm = layer.BatchNormalization ? nn.BatchNorm1d(layer.Units) : null;
        prelu = layer.Activation == Activation.PReLU ? nn.PReLU(1) : null;
        dropout = layer.Dropout > 0 ? new SeededDropout(layer.Dropout) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = linear.call(x);
        if (norm != null)
            x = norm.call(x);
        x = prelu != null ? prelu.call(x) : _activation.Apply(x);
        return dropout != null ? dropout.call(x) : x;
    }
}
