using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>Writes answers to sources, and computes the probability of given ones. Thread-safe.</summary>
/// <param name="model">The network.</param>
/// <param name="maximumValues">The maximum number of values in memory: of log probabilities, and of gates when given answers are read.</param>
internal sealed class AnswerWriter(NetworkModelParameters model, int maximumValues = 1 << 23)
{
    private const int MaximumRows = 64;

    private readonly SequenceToSequenceArchitecture _architecture = (SequenceToSequenceArchitecture)model.Architecture;
    private readonly long _gateValues = GateValues((SequenceToSequenceArchitecture)model.Architecture);
    private readonly SequenceToSequenceNetwork _network = (SequenceToSequenceNetwork)model.Network;

    public PairTokenizer Tokenizer { get; } = new((SequenceToSequenceArchitecture)model.Architecture);

    /// <summary>Writes the answers to sources, each as many as asked for and best first.</summary>
    /// <param name="sources">The sources.</param>
    /// <param name="options">How to write; checked.</param>
    /// <param name="seeds">The seed of each source, if answers are drawn.</param>
    public SequenceAnswer[][] Write(IReadOnlyList<SourceTokens> sources, DecodingOptions options, IReadOnlyList<int> seeds)
    {
        var answers = new SequenceAnswer[sources.Count][];
        var order = Enumerable.Range(0, sources.Count).OrderByDescending(i => sources[i].Ids.Length).ToArray();
        var each = options.Draws ? options.NumberOfAnswers : options.BeamWidth;
        var rows = Math.Clamp(maximumValues / (each * (_architecture.OutputCount + 1)), 1, MaximumRows);
        foreach (var part in order.Chunk(rows))
        {
            var batch = Array.ConvertAll(part, i => sources[i]);
            var found = options.Draws ? Draw(batch, options, Array.ConvertAll(part, i => seeds[i])) : Search(batch, options);
            for (var i = 0; i < part.Length; i++)
                answers[part[i]] = [.. found[i].Select(hypothesis => ToAnswer(hypothesis, batch[i]))];
        }
        return answers;
    }

    /// <summary>Computes the log probability of targets after their sources.</summary>
    /// <param name="sources">The sources.</param>
    /// <param name="targets">The tokens of the targets, at least one each.</param>
    public double[] Score(IReadOnlyList<SourceTokens> sources, IReadOnlyList<int[]> targets)
    {
        var sums = new double[sources.Count];
        var order = Enumerable.Range(0, sources.Count).OrderByDescending(i => sources[i].Ids.Length).ToArray();
        for (var first = 0; first < order.Length;)
        {
            var (count, steps) = (0, 0L);
            while (first + count < order.Length && count < MaximumRows)
            {
                steps = Math.Max(steps, targets[order[first + count]].Length);
                if (count > 0 && (count + 1) * steps * _gateValues > maximumValues)
                    break;
                count++;
            }
            Score(order.AsSpan(first, count), sources, targets, sums);
            first += count;
        }
        return sums;
    }

    /// <summary>Computes the attention of each token of a target, its end included, to each token of the source, its end included.</summary>
    /// <returns>A row for each token of the target.</returns>
    public float[][] Attend(SourceTokens source, int[] target)
    {
        using var lease = model.Lease();
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        var values = Tensors([0], [source], [target]);
        var weights = TensorMemory.Floats(Decode(values).Weights!.contiguous());
        var rows = new float[target.Length][];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = weights.Slice(i * source.Ids.Length, source.Ids.Length).ToArray();
        return rows;
    }

    /// <summary>Writes an answer, piece by piece.</summary>
    /// <param name="source">The source.</param>
    /// <param name="options">How to write: greedy or drawn; checked.</param>
    /// <param name="seed">The seed of draws.</param>
    public IEnumerable<string> Stream(SourceTokens source, DecodingOptions options, int seed)
    {
        var limits = AnswerLimits.Of(_architecture, options);
        var sampler = new TokenSampler(options.ToGeneration(), seed);
        var decoder = _architecture.OutputTokenizer.CreateDecoder();
        var answer = Hypothesis.Begin(0);
        DecodingBatch batch;
        using (model.Lease())
            batch = new DecodingBatch(model, Tokenizer, [source], beams: 1);
        using (batch)
        {
            for (var step = 1; ; step++)
            {
                // Not for the whole answer: it may never be read to its end.
                int[] last = step == 1 ? [] : [answer.Tokens[^1]];
                var next = 0;
                using (model.Lease())
                {
                    batch.Read(last, logProbabilities =>
                    {
                        limits.Forbid(logProbabilities, [answer], step);
                        var values = TensorMemory.Floats(logProbabilities.contiguous());
                        next = AnswerLimits.AllowsAny(values) ? sampler.Next(values, []) : limits.End;
                    });
                }
                if (next == limits.End)
                    break;
                answer = answer.Append(next, 0);
                var piece = Append(decoder, next, source);
                if (piece.Length > 0)
                    yield return piece;
            }
        }
        var rest = decoder.Finish();
        if (rest.Length > 0)
            yield return rest;
    }

    /// <summary>Returns a seed that is the same for the same source in any row and process.</summary>
    public static int SeedOf(SourceTokens source, int seed)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(source.Ids.AsSpan()), hash);
        return BinaryPrimitives.ReadInt32LittleEndian(hash) ^ seed;
    }

    /// <summary>The text of a token.</summary>
    public string TokenOf(int token, SourceTokens source) => token < _architecture.OutputCount ? _architecture.OutputTokenizer.TokenOf(token) : source.Extra[token - _architecture.OutputCount];

    private IReadOnlyList<Hypothesis>[] Search(SourceTokens[] sources, DecodingOptions options)
    {
        using var lease = model.Lease();
        using var batch = new DecodingBatch(model, Tokenizer, sources, options.BeamWidth, coverage: options.CoveragePenalty > 0);
        return new BeamSearch(batch, options, AnswerLimits.Of(_architecture, options)).Run();
    }

    private IReadOnlyList<Hypothesis>[] Draw(SourceTokens[] sources, DecodingOptions options, int[] seeds)
    {
        using var lease = model.Lease();
        var count = options.NumberOfAnswers;
        var all = sources.SelectMany(source => Enumerable.Repeat(source, count)).ToArray();
        using var batch = new DecodingBatch(model, Tokenizer, all, beams: 1);
        var drawn = new AnswerSampler(batch, options, AnswerLimits.Of(_architecture, options), [.. seeds.SelectMany(seed => Enumerable.Range(0, count).Select(i => unchecked(seed + (i * 0x2545F491))))]).Run();
        return [.. drawn.Chunk(count).Select(answers => (IReadOnlyList<Hypothesis>)[.. Hypothesis.BestFirst(answers)])];
    }

    private void Score(ReadOnlySpan<int> order, IReadOnlyList<SourceTokens> sources, IReadOnlyList<int[]> targets, double[] sums)
    {
        using var lease = model.Lease();
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        var values = Tensors(order, sources, targets);
        var copies = values.Copies(CPU);
        var (decoded, places, tokens) = (Decode(values), values.Places(CPU), values.Targets(CPU));
        var probabilities = new float[values.TokenCount];
        var part = Math.Max(1, maximumValues / _architecture.OutputCount);
        for (var first = 0; first < probabilities.Length; first += part)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(part, probabilities.Length - first);
            var read = _network.TokensAt(decoded, places.narrow(0, first, count));
            TensorMemory.Floats(_network.LogProbabilities(read, tokens.narrow(0, first, count), copies).contiguous()).CopyTo(probabilities.AsSpan(first));
        }
        var at = 0;
        foreach (var pair in order)
        {
            foreach (var value in probabilities.AsSpan(at, targets[pair].Length))
                sums[pair] += value;
            at += targets[pair].Length;
        }
    }

    private static long GateValues(SequenceToSequenceArchitecture architecture) => (long)architecture.Decoder.Gates * architecture.Decoder.HiddenUnits;

    private PairTensors Tensors(ReadOnlySpan<int> order, IReadOnlyList<SourceTokens> sources, IReadOnlyList<int[]> targets)
    {
        var steps = 0;
        foreach (var pair in order)
            steps = Math.Max(steps, targets[pair].Length);
        var values = new PairTensors(order.Length, sources[order[0]].Ids.Length, steps);
        for (var row = 0; row < order.Length; row++)
        {
            values.SetSource(row, sources[order[row]].Ids, sources[order[row]].Copies);
            values.SetTarget(row, targets[order[row]], _architecture.OutputTokenizer.EndOfSequenceId, Tokenizer);
        }
        return values;
    }

    private Decoded Decode(PairTensors values)
    {
        using var threads = TorchThreads.Use(TorchThreads.CountFor(_architecture.MultiplyAdds * values.TokenCount));
        var memory = _network.Encode(SequenceToSequenceNetwork.Embed(_network.SourceEmbedding, values.Source(CPU)), values.Lengths);
        return _network.Decode(SequenceToSequenceNetwork.Embed(_network.TargetEmbedding, values.Inputs(CPU)), memory, memory.State);
    }

    private SequenceAnswer ToAnswer(Hypothesis hypothesis, SourceTokens source)
    {
        var decoder = _architecture.OutputTokenizer.CreateDecoder();
        var text = new StringBuilder();
        foreach (var token in hypothesis.Tokens)
            text.Append(Append(decoder, token, source));
        return new SequenceAnswer(text.Append(decoder.Finish()).ToString(), hypothesis.LogProbability, hypothesis.Score, hypothesis.Tokens.Count);
    }

    private string Append(TextDecoder decoder, int token, SourceTokens source) =>
        token < _architecture.OutputCount ? decoder.Append(token) : decoder.AppendWord(source.Extra[token - _architecture.OutputCount]);
}
