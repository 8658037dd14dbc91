using MLExtensions.Families.LanguageModels;
using MLExtensions.Families.Recurrent;
using MLExtensions.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>The module of <see cref="SequenceToSequenceArchitecture"/>.</summary>
internal sealed class SequenceToSequenceNetwork : nn.Module<Tensor, Tensor>, IOutputLayer
{
    private readonly SequenceToSequenceArchitecture _architecture;
    private readonly EmbeddingTable embedding;
    private readonly EmbeddingTable? embedding_target;
    private readonly RecurrentModule encoder;
    private readonly StateBridge? bridge;
    private readonly RecurrentModule decoder;
    private readonly SourceAttention? attention;
    private readonly Linear? readout;
    private readonly Linear? copy_gate;
    private readonly SeededDropout? dropout;
    private readonly Linear? projection;
    private readonly Linear? output;
    private readonly Parameter? output_bias;

    public SequenceToSequenceNetwork(SequenceToSequenceArchitecture architecture)
        : base(nameof(SequenceToSequenceNetwork))
    {
        _architecture = architecture;
        var (read, written) = (architecture.Encoder.OutputCount, architecture.Decoder.OutputCount);
        embedding = new EmbeddingTable(architecture.SourceTokenizer.VocabularySize, architecture.EmbeddingSize);
        embedding_target = architecture.TargetTokenizer == null ? null : new EmbeddingTable(architecture.OutputCount, architecture.EmbeddingSize);
        encoder = architecture.Encoder.CreateModule(architecture.EmbeddingSize);
        bridge = architecture.HasBridge ? new StateBridge(architecture.Encoder, architecture.Decoder) : null;
        decoder = architecture.Decoder.CreateModule(architecture.DecoderInputs);
        attention = SourceAttention.Create(architecture);
        readout = attention == null ? null : Layers.Linear(read + written, written);
        copy_gate = architecture.CopiesWords ? Layers.Linear(architecture.GateInputs, 1) : null;
        dropout = architecture.Dropout > 0 ? new SeededDropout(architecture.Dropout) : null;
        projection = architecture.HasProjection ? Layers.Linear(written, architecture.EmbeddingSize, hasBias: false) : null;
        output = architecture.TieEmbeddings ? null : Layers.Linear(written, architecture.OutputCount);
        output_bias = architecture.TieEmbeddings ? Layers.Weights(architecture.OutputCount) : null;
        RegisterComponents();
    }

    /// <summary><c>[source vocabulary, embedding size]</c>.</summary>
    public Parameter SourceEmbedding => embedding.Weight;

    /// <summary><c>[target vocabulary, embedding size]</c>; that of the source if they share it.</summary>
    public Parameter TargetEmbedding => (embedding_target ?? embedding).Weight;

    public Parameter OutputWeight => output?.weight ?? TargetEmbedding;

    public Parameter OutputBias => output?.bias ?? output_bias!;

    /// <summary>Looks up the vectors of tokens of any shape.</summary>
    public static Tensor Embed(Tensor table, Tensor tokens) => table.index_select(0, tokens.view(-1)).view([.. tokens.shape, -1]);

    /// <summary>Reads sources.</summary>
    /// <param name="embedded"><c>[steps, rows, embedding size]</c>, padded at the end.</param>
    /// <param name="lengths">The number of tokens of each row, at least 1, in descending order.</param>
    public SourceMemory Encode(Tensor embedded, ReadOnlySpan<int> lengths)
    {
        var (outputs, state) = encoder.Run(Drop(embedded), lengths);
        if (bridge != null)
            state = bridge.Cross(state);
        if (attention == null)
            return new SourceMemory(null, null, null, state);
        var rows = outputs.transpose(0, 1).contiguous();
        return new SourceMemory(rows, attention.Keys(rows), SourceMemory.Padding(lengths, outputs.device), state);
    }

    /// <summary>Reads the tokens of targets, and looks at the source at each of them.</summary>
    /// <param name="embedded"><c>[steps, rows * beams, embedding size]</c>; the beams of a row are next to each other.</param>
    /// <param name="memory">The sources of the rows.</param>
    /// <param name="state">The state before the first step, of each row and beam.</param>
    public Decoded Decode(Tensor embedded, SourceMemory memory, Tensor[] state)
    {
        embedded = Drop(embedded);
        if (attention is not AdditiveAttention)
        {
            var (hidden, next) = decoder.Run(embedded, state);
            hidden = hidden.transpose(0, 1);
            if (attention == null)
                return new Decoded(embedded, hidden, null, null, next);
            var (context, weights) = attention.Attend(ByRow(hidden, memory), memory);
            return new Decoded(embedded, hidden, context.view(hidden.shape[0], hidden.shape[1], -1), weights, next);
        }
        return DecodeStepByStep(embedded, memory, state);
    }

    /// <summary>What the output layer reads at some of the steps.</summary>
    /// <param name="hidden"><c>[tokens, hidden units]</c>.</param>
    /// <param name="context"><c>[tokens, encoder outputs]</c>; null without attention.</param>
    public Tensor Read(Tensor hidden, Tensor? context)
    {
        if (readout != null)
            hidden = readout.call(cat([context!, hidden], 1)).tanh();
        hidden = Drop(hidden);
        return projection == null ? hidden : projection.call(hidden);
    }

    /// <summary>What was computed at some of the steps.</summary>
    /// <param name="decoded">All steps.</param>
    /// <param name="places">Which ones: row * steps + step, <c>[tokens]</c>, int64; null for all.</param>
    public DecodedTokens TokensAt(Decoded decoded, Tensor? places)
    {
        var steps = decoded.Hidden.shape[1];
        return new DecodedTokens(
            Select(decoded.Hidden),
            decoded.Context is { } context ? Select(context) : null,
            copy_gate == null ? null : Select(decoded.Embedded.transpose(0, 1)),
            copy_gate == null ? null : Select(decoded.Weights!.view(decoded.Hidden.shape[0], steps, -1)),
            copy_gate == null ? null : places is null ? null : places.div(Tensors.Number.Of(steps), RoundingMode.floor));

        Tensor Select(Tensor values)
        {
            var flat = values.reshape(-1, values.shape[2]);
            return places is null ? flat : flat.index_select(0, places);
        }
    }

    /// <summary>The log probabilities of tokens.</summary>
    /// <param name="tokens">What was computed for them.</param>
    /// <param name="targets">The tokens, <c>[tokens]</c>, int64; beyond the vocabulary for words that are only in the source.</param>
    /// <param name="copies">The tokens of the sources as they can be copied, <c>[rows, steps]</c>; null if nothing is copied.</param>
    public Tensor LogProbabilities(DecodedTokens tokens, Tensor targets, Tensor? copies)
    {
        var logits = Logits(Read(tokens.Hidden, tokens.Context)).to(ScalarType.Float32);
        var written = logits.gather(1, InVocabulary(targets).unsqueeze(1)).squeeze(1) - logits.logsumexp(1);
        return copies is null ? written : CopyMixture.Of(this, tokens, written, targets, copies).LogProbabilities;
    }

    /// <summary>The log probabilities of everything that can be written, <c>[tokens, vocabulary + extra words]</c>.</summary>
    /// <param name="tokens">What was computed.</param>
    /// <param name="copies">The tokens of the source of each of them, <c>[tokens, steps]</c>; null if nothing is copied.</param>
    /// <param name="extra">The number of words beyond the vocabulary.</param>
    public Tensor Distribution(DecodedTokens tokens, Tensor? copies, int extra)
    {
        var written = Logits(Read(tokens.Hidden, tokens.Context)).to(ScalarType.Float32).log_softmax(1);
        return copies is null ? written : CopyMixture.Distribution(this, tokens, written, copies, extra);
    }

    /// <summary>Tokens with those beyond the vocabulary replaced by any other.</summary>
    public Tensor InVocabulary(Tensor targets) => _architecture.CopiesWords ? targets.clamp_max(Tensors.Number.Of((long)_architecture.OutputCount - 1)) : targets;

    /// <summary>What is read in place of a word beyond the vocabulary.</summary>
    public int UnknownInput => _architecture.OutputTokenizer.UnknownId ?? _architecture.OutputTokenizer.EndOfSequenceId;

    /// <summary>The number of tokens of the target vocabulary.</summary>
    public int VocabularySize => _architecture.OutputCount;

    /// <summary>The logit of writing a word of the vocabulary rather than copying one, <c>[tokens]</c>.</summary>
    public Tensor GateLogits(Tensor hidden, Tensor context, Tensor embedded) => copy_gate!.call(cat([context, hidden, embedded], 1)).view(-1);

    public Tensor Logits(Tensor features)
    {
        var (weight, bias) = (OutputWeight, OutputBias);
        return nn.functional.linear(features, weight, bias.dtype == weight.dtype ? bias : bias.to(weight.dtype));
    }

    /// <summary>The logits of the first token that follows sources <c>[steps, rows]</c> of equal length.</summary>
    public override Tensor forward(Tensor tokens)
    {
        var rows = (int)tokens.shape[1];
        var lengths = new int[rows];
        Array.Fill(lengths, (int)tokens.shape[0]);
        var memory = Encode(Embed(SourceEmbedding, tokens), lengths);
        var first = full([1, rows], Tensors.Number.Of((long)_architecture.OutputTokenizer.EndOfSequenceId), ScalarType.Int64, tokens.device);
        var decoded = Decode(Embed(TargetEmbedding, first), memory, memory.State);
        return Logits(Read(decoded.Hidden.squeeze(1), decoded.Context?.squeeze(1)));
    }

    private static Tensor ByRow(Tensor hidden, SourceMemory memory) => hidden.reshape(memory.Outputs!.shape[0], -1, hidden.shape[2]);

    private Decoded DecodeStepByStep(Tensor embedded, SourceMemory memory, Tensor[] state)
    {
        var (steps, batch) = (embedded.shape[0], embedded.shape[1]);
        var (hidden, contexts, weights) = (new Tensor[steps], new Tensor[steps], new Tensor[steps]);
        var top = state.Length - _architecture.Decoder.StatesPerLayer;
        for (var step = 0; step < steps; step++)
        {
            var (context, weight) = attention!.Attend(ByRow(state[top].transpose(0, 1), memory), memory);
            contexts[step] = context.reshape(batch, 1, -1);
            weights[step] = weight;
            (hidden[step], state) = decoder.Run(cat([embedded.narrow(0, step, 1), contexts[step].transpose(0, 1)], 2), state);
        }
        return new Decoded(embedded, cat(hidden).transpose(0, 1), cat(contexts, 1), cat(weights, 1), state);
    }

    private Tensor Drop(Tensor x) => dropout == null ? x : dropout.call(x);
}

/// <summary>What a decoder knows of the sources of a batch.</summary>
/// <param name="Outputs">The encoder's outputs <c>[rows, steps, encoder outputs]</c>; null without attention.</param>
/// <param name="Keys">What they are compared by, <c>[rows, steps, decoder outputs]</c>; null without attention.</param>
/// <param name="IsPadding"><c>[rows, 1, steps]</c>, true after the end of a source; null if all are equally long.</param>
/// <param name="State">The state that the decoder begins with, in the order of its layers, each <c>[1, rows, hidden units]</c>.</param>
internal sealed record SourceMemory(Tensor? Outputs, Tensor? Keys, Tensor? IsPadding, Tensor[] State)
{
    public static Tensor? Padding(ReadOnlySpan<int> lengths, Device device)
    {
        var (steps, rows) = (lengths[0], lengths.Length);
        if (lengths[^1] == steps)
            return null;
        var padding = new bool[rows * steps];
        for (var row = 0; row < rows; row++)
            padding.AsSpan((row * steps) + lengths[row], steps - lengths[row]).Fill(true);
        return tensor(padding, [rows, 1, steps], ScalarType.Bool, device);
    }

    /// <summary>The memory of some of the rows.</summary>
    public SourceMemory Select(Tensor rows) => this with
    {
        Outputs = Outputs?.index_select(0, rows),
        Keys = Keys?.index_select(0, rows),
        IsPadding = IsPadding?.index_select(0, rows),
    };
}

/// <summary>What a decoder computes for the tokens that it reads.</summary>
/// <param name="Embedded">The tokens as they were read, <c>[steps, batch, embedding size]</c>.</param>
/// <param name="Hidden">The outputs of the last layer, <c>[batch, steps, hidden units]</c>.</param>
/// <param name="Context">The mean of the encoder's outputs, <c>[batch, steps, encoder outputs]</c>; null without attention.</param>
/// <param name="Weights">The weights of that mean, <c>[rows, beams * steps, source steps]</c>; null without attention.</param>
/// <param name="State">The state after the last step.</param>
internal sealed record Decoded(Tensor Embedded, Tensor Hidden, Tensor? Context, Tensor? Weights, Tensor[] State);

/// <summary>What a decoder computes at some of its steps.</summary>
/// <param name="Hidden"><c>[tokens, hidden units]</c>.</param>
/// <param name="Context"><c>[tokens, encoder outputs]</c>; null without attention.</param>
/// <param name="Embedded"><c>[tokens, embedding size]</c>; null if nothing is copied.</param>
/// <param name="Weights"><c>[tokens, source steps]</c>; null if nothing is copied.</param>
/// <param name="Rows">The row of each of them, <c>[tokens]</c>; null if nothing is copied or each is a row.</param>
internal sealed record DecodedTokens(Tensor Hidden, Tensor? Context, Tensor? Embedded, Tensor? Weights, Tensor? Rows);

/// <summary>Computes the first state of the decoder from the last one of an encoder of another shape.</summary>
internal sealed class StateBridge : nn.Module
{
    private readonly Linear[] _parts;
    private readonly RecurrentLayers _encoder;

    public StateBridge(RecurrentLayers encoder, RecurrentLayers decoder)
        : base(nameof(StateBridge))
    {
        _encoder = encoder;
        _parts = new Linear[decoder.NumberOfLayers * decoder.StatesPerLayer];
        for (var i = 0; i < _parts.Length; i++)
        {
            _parts[i] = Layers.Linear(encoder.OutputCount, decoder.HiddenUnits);
            register_module(FormattableString.Invariant($"{i}"), _parts[i]);
        }
    }

    /// <param name="state">The encoder's states, layer after layer and in each of them direction after direction.</param>
    public Tensor[] Cross(Tensor[] state)
    {
        var (directions, parts) = (_encoder.Directions, _encoder.StatesPerLayer);
        var crossed = new Tensor[_parts.Length];
        for (var i = 0; i < crossed.Length; i++)
        {
            var (layer, part) = (i / parts, i % parts);
            var sides = Enumerable.Range(0, directions).Select(direction => state[(((layer * directions) + direction) * parts) + part]).ToArray();
            var sum = _parts[i].call(directions == 1 ? sides[0] : cat(sides, 2));
            // Cell states are not bounded, outputs are.
            crossed[i] = part == 0 ? sum.tanh() : sum;
        }
        return crossed;
    }
}
