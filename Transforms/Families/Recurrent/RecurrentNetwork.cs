using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Recurrent;

/// <summary>
/// The module of <see cref="RecurrentArchitecture"/>: maps rows, which are a length and then the values of the time steps, padded with
/// zeros, to <c>[rows, outputs]</c>. Rows are cut to the longest one, and values after the end of a sequence have no effect.
/// </summary>
internal sealed class RecurrentNetwork : nn.Module<Tensor, Tensor>, IFullPrecisionInput
{
    private readonly EmbeddingTable? embedding;
    private readonly SeededDropout? input_dropout;
    private readonly RecurrentModule recurrent;
    private readonly SequencePool pool;
    private readonly SeededDropout? output_dropout;
    private readonly Linear output;
    private readonly int _valuesPerStep;

    public RecurrentNetwork(RecurrentArchitecture architecture)
        : base(nameof(RecurrentNetwork))
    {
        _valuesPerStep = architecture.Input.ValuesPerStep;
        embedding = architecture.Input.TokenCount > 0 ? new EmbeddingTable(architecture.Input.TokenCount, architecture.EmbeddingSize) : null;
        input_dropout = architecture.InputDropout > 0 ? new SeededDropout(architecture.InputDropout) : null;
        recurrent = architecture.Recurrent.CreateModule(architecture.StepWidth);
        pool = new SequencePool(architecture.Pooling, architecture.Recurrent);
        output_dropout = architecture.OutputDropout > 0 ? new SeededDropout(architecture.OutputDropout) : null;
        output = Layers.Linear(architecture.Recurrent.OutputCount, architecture.OutputCount);
        RegisterComponents();
    }

    public override Tensor forward(Tensor rows)
    {
        var lengths = rows.select(1, 0).to(ScalarType.Int64);
        if (training || rows.shape[0] <= RecurrentArchitecture.ChunkRows)
            return Run(rows, lengths);
        // In scoring, rows of similar length are processed together; the order is restored.
        var order = lengths.argsort(0, descending: true);
        var outputs = new List<Tensor>();
        for (long first = 0; first < rows.shape[0]; first += RecurrentArchitecture.ChunkRows)
        {
            var chunk = order.narrow(0, first, Math.Min(RecurrentArchitecture.ChunkRows, rows.shape[0] - first));
            outputs.Add(Run(rows.index_select(0, chunk), lengths.index_select(0, chunk)));
        }
        return cat(outputs).index_select(0, order.argsort());
    }

    private Tensor Run(Tensor rows, Tensor lengths)
    {
        var steps = Math.Max(1, lengths.max().item<long>());
        var x = Embed(rows.narrow(1, 1, steps * _valuesPerStep), steps);
        if (input_dropout != null)
            x = input_dropout.call(x);
        var pooled = pool.call(recurrent.Run(x, lengths), lengths);
        return output.call(output_dropout == null ? pooled : output_dropout.call(pooled));
    }

    /// <summary>Maps <c>[rows, steps * values]</c> to <c>[steps, rows, width]</c>.</summary>
    private Tensor Embed(Tensor values, long steps)
    {
        if (embedding == null)
            return values.reshape(values.shape[0], steps, _valuesPerStep).transpose(0, 1).contiguous().to(output.weight!.dtype);
        var tokens = values.t().contiguous().view(-1).to(ScalarType.Int64);
        return embedding.Weight.index_select(0, tokens).view(steps, values.shape[0], -1);
    }
}

/// <summary>Pools <c>[steps, batch, width]</c> over the real time steps of each sequence; an empty sequence gives zeros.</summary>
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
            attention = Layers.Linear(layers.OutputCount, layers.OutputCount);
            context = Layers.Linear(layers.OutputCount, 1, hasBias: false);
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor outputs, Tensor lengths)
    {
        var steps = outputs.shape[0];
        var isStep = (arange(Number.Zero, Number.Of(steps), Number.One, dtype: ScalarType.Int64, device: outputs.device).unsqueeze(1) < lengths.unsqueeze(0)).unsqueeze(2);
        var pooled = _pooling switch
        {
            SequencePooling.Mean => (outputs * isStep.to(outputs.dtype)).sum(dim: 0) / lengths.clamp_min(Number.One).unsqueeze(1).to(outputs.dtype),
            SequencePooling.Max => outputs.masked_fill(isStep.logical_not(), Number.Of(float.NegativeInfinity)).amax([0]),
            SequencePooling.Attention => (outputs * Weights(outputs, isStep)).sum(dim: 0),
            _ => Last(outputs, lengths),
        };
        return pooled.masked_fill(lengths.eq(Number.Zero).unsqueeze(1), Number.Zero);
    }

    private Tensor Weights(Tensor outputs, Tensor isStep) =>
        context!.call(attention!.call(outputs).tanh()).masked_fill(isStep.logical_not(), Number.Of(-1e9f)).softmax(0);

    private Tensor Last(Tensor outputs, Tensor lengths)
    {
        var (batch, width) = (outputs.shape[1], outputs.shape[2]);
        var last = lengths.sub(Number.One).clamp_min(Number.Zero).view(1, -1, 1).expand(1, batch, width);
        var ahead = outputs.gather(0, last).squeeze(0);
        if (!_layers.Bidirectional)
            return ahead;
        return cat([ahead.narrow(1, 0, _layers.HiddenUnits), outputs[0].narrow(1, _layers.HiddenUnits, _layers.HiddenUnits)], 1);
    }
}
