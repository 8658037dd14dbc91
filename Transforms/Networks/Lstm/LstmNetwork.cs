using MLExtensions.Networks.Recurrent;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Networks.Lstm;

/// <summary>
/// The module of <see cref="LstmArchitecture"/>: rows that are a length and then the steps' values, padded with zeros, to
/// <c>[rows, outputs]</c>. Rows are cut to the longest, and what is behind a row's end has no effect.
/// </summary>
internal sealed class LstmNetwork : nn.Module<Tensor, Tensor>, IFullPrecisionInput
{
    private readonly Embedding? embedding;
    private readonly SeededDropout? input_dropout;
    private readonly RecurrentModule recurrent;
    private readonly SequencePool pool;
    private readonly SeededDropout? output_dropout;
    private readonly Linear output;
    private readonly int _valuesPerStep;

    public LstmNetwork(LstmArchitecture architecture)
        : base(nameof(LstmNetwork))
    {
        _valuesPerStep = architecture.Input.ValuesPerStep;
        embedding = architecture.Input.TokenCount > 0 ? nn.Embedding(architecture.Input.TokenCount, architecture.EmbeddingSize) : null;
        input_dropout = architecture.InputDropout > 0 ? new SeededDropout(architecture.InputDropout) : null;
        recurrent = architecture.Recurrent.CreateModule(architecture.StepWidth);
        pool = new SequencePool(architecture.Pooling, architecture.Recurrent);
        output_dropout = architecture.OutputDropout > 0 ? new SeededDropout(architecture.OutputDropout) : null;
        output = nn.Linear(architecture.Recurrent.OutputCount, architecture.OutputCount);
        RegisterComponents();
    }

    public override Tensor forward(Tensor rows)
    {
        var lengths = rows.select(1, 0).to(ScalarType.Int64);
        if (training || rows.shape[0] <= LstmArchitecture.ChunkRows)
            return Run(rows, lengths);
        // In scoring, rows of a length go together; the order is put back.
        var order = lengths.argsort(0, descending: true);
        var outputs = new List<Tensor>();
        for (long first = 0; first < rows.shape[0]; first += LstmArchitecture.ChunkRows)
        {
            var chunk = order.narrow(0, first, Math.Min(LstmArchitecture.ChunkRows, rows.shape[0] - first));
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

    /// <summary><c>[rows, steps * values]</c> to <c>[steps, rows, width]</c>.</summary>
    private Tensor Embed(Tensor values, long steps)
    {
        if (embedding == null)
            return values.reshape(values.shape[0], steps, _valuesPerStep).transpose(0, 1).contiguous().to(output.weight!.dtype);
        var tokens = values.t().contiguous().view(-1).to(ScalarType.Int64);
        return embedding.weight!.index_select(0, tokens).view(steps, values.shape[0], -1);
    }
}
