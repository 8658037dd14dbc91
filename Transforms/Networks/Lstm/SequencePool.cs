using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Networks.Lstm;

/// <summary>Pools <c>[steps, batch, width]</c> over the steps that a sequence really has; one without steps gives zeros.</summary>
internal sealed class SequencePool : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly SequencePooling _pooling;
    private readonly RecurrentLayers _layers;
    private readonly Linear? attention;
    private readonly Linear? context;

    public SequencePool(SequencePooling pooling, RecurrentLayers layers)
        : base(nameof(SequencePool))
    {
        _pooling = pooling;
        _layers = layers;
        if (pooling == SequencePooling.Attention)
        {
            attention = nn.Linear(layers.OutputCount, layers.OutputCount);
            context = nn.Linear(layers.OutputCount, 1, hasBias: false);
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor outputs, Tensor lengths)
    {
        var steps = outputs.shape[0];
        var isStep = (arange(steps, dtype: ScalarType.Int64, device: outputs.device).unsqueeze(1) < lengths.unsqueeze(0)).unsqueeze(2);
        var pooled = _pooling switch
        {
            SequencePooling.Mean => (outputs * isStep.to(outputs.dtype)).sum(dim: 0) / lengths.clamp_min(1).unsqueeze(1).to(outputs.dtype),
            SequencePooling.Max => outputs.masked_fill(isStep.logical_not(), float.NegativeInfinity).amax([0]),
            SequencePooling.Attention => (outputs * Weights(outputs, isStep)).sum(dim: 0),
            _ => Last(outputs, lengths),
        };
        return pooled.masked_fill((lengths == 0).unsqueeze(1), 0);
    }

    private Tensor Weights(Tensor outputs, Tensor isStep) =>
        context!.call(attention!.call(outputs).tanh()).masked_fill(isStep.logical_not(), -1e9f).softmax(0);

    private Tensor Last(Tensor outputs, Tensor lengths)
    {
        var (batch, width) = (outputs.shape[1], outputs.shape[2]);
        var last = (lengths - 1).clamp_min(0).view(1, -1, 1).expand(1, batch, width);
        var ahead = outputs.gather(0, last).squeeze(0);
        if (!_layers.Bidirectional)
            return ahead;
        return cat([ahead.narrow(1, 0, _layers.HiddenUnits), outputs[0].narrow(1, _layers.HiddenUnits, _layers.HiddenUnits)], 1);
    }
}
