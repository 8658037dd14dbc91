using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>Compares what a decoder asks for with the encoder's outputs, and returns their mean, weighted by the softmax of the scores.</summary>
internal abstract class SourceAttention(string name) : nn.Module(name)
{
    public static SourceAttention? Create(SequenceToSequenceArchitecture architecture) => architecture.Attention switch
    {
        AttentionKind.Luong => new GeneralAttention(architecture.Encoder.OutputCount, architecture.Decoder.OutputCount),
        AttentionKind.Bahdanau => new AdditiveAttention(architecture.Encoder.OutputCount, architecture.Decoder.OutputCount),
        _ => null,
    };

    /// <summary>What of the encoder's outputs is the same for all questions.</summary>
    /// <param name="outputs"><c>[rows, steps, encoder outputs]</c>.</param>
    public abstract Tensor Keys(Tensor outputs);

    /// <summary>Looks at the sources. Padding has a weight of exactly 0.</summary>
    /// <param name="questions"><c>[rows, questions, decoder outputs]</c>.</param>
    /// <param name="memory">The sources of the rows.</param>
    /// <returns>The means <c>[rows, questions, encoder outputs]</c> and the weights <c>[rows, questions, steps]</c>.</returns>
    public (Tensor Context, Tensor Weights) Attend(Tensor questions, SourceMemory memory)
    {
        var scores = Scores(questions, memory.Keys!);
        if (memory.IsPadding is { } padding)
            scores = scores.masked_fill(padding, Number.Of(float.NegativeInfinity));
        var weights = scores.softmax(2);
        return (weights.bmm(memory.Outputs!), weights);
    }

    private protected abstract Tensor Scores(Tensor questions, Tensor keys);
}

/// <summary>The "general" attention of Luong et al. (2015).</summary>
internal sealed class GeneralAttention : SourceAttention
{
    private readonly Linear keys;

    public GeneralAttention(int read, int written)
        : base(nameof(GeneralAttention))
    {
        keys = Layers.Linear(read, written, hasBias: false);
        RegisterComponents();
    }

    public override Tensor Keys(Tensor outputs) => keys.call(outputs);

    private protected override Tensor Scores(Tensor questions, Tensor keys) => questions.bmm(keys.transpose(1, 2));
}

/// <summary>The additive attention of Bahdanau et al. (2015).</summary>
internal sealed class AdditiveAttention : SourceAttention
{
    private readonly Linear keys;
    private readonly Linear questions;
    private readonly Linear score;

    public AdditiveAttention(int read, int written)
        : base(nameof(AdditiveAttention))
    {
        keys = Layers.Linear(read, written, hasBias: false);
        questions = Layers.Linear(written, written);
        score = Layers.Linear(written, 1, hasBias: false);
        RegisterComponents();
    }

    public override Tensor Keys(Tensor outputs) => keys.call(outputs);

    private protected override Tensor Scores(Tensor asked, Tensor keys) =>
        score.call(questions.call(asked).unsqueeze(2).add(keys.unsqueeze(1), Number.One).tanh()).squeeze(3);
}
