using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>
/// Sources that are being answered: each has several beams, which are answers in the making. It keeps the state of the decoder, so each token
/// costs one time step. For one thread at a time.
/// </summary>
internal sealed class DecodingBatch : IDisposable
{
    private readonly SequenceToSequenceArchitecture _architecture;
    private readonly SequenceToSequenceNetwork _network;
    private readonly PairTokenizer _tokenizer;
    private readonly int _extraWords;
    private readonly int _beams;
    private SourceMemory _memory;
    private Tensor? _copies;
    private Tensor? _coverage;
    private Tensor? _foreignWords;

    /// <param name="model">The network.</param>
    /// <param name="tokenizer">Its tokenizers.</param>
    /// <param name="sources">The sources, longest first.</param>
    /// <param name="beams">The number of beams of each of them.</param>
    /// <param name="coverage">Whether to sum up the attention to each token of the source.</param>
    public DecodingBatch(NetworkModelParameters model, PairTokenizer tokenizer, IReadOnlyList<SourceTokens> sources, int beams, bool coverage = false)
    {
        _architecture = (SequenceToSequenceArchitecture)model.Architecture;
        _network = (SequenceToSequenceNetwork)model.Network;
        (_tokenizer, _beams) = (tokenizer, beams);
        Rows = sources.Count;
        var values = new PairTensors(sources.Count, sources[0].Ids.Length, 0);
        for (var row = 0; row < sources.Count; row++)
            values.SetSource(row, sources[row].Ids, sources[row].Copies);
        _extraWords = values.ExtraWords(_architecture.OutputCount);
        using var mode = TorchState.Infer();
        using var threads = Threads(sources.Sum(source => source.Ids.Length));
        using var scope = NewDisposeScope();
        var read = _network.Encode(SequenceToSequenceNetwork.Embed(_network.SourceEmbedding, values.Source(CPU)), values.Lengths);
        var copies = values.Copies(CPU);
        var beam = BeamsOf(Enumerable.Range(0, Rows));
        _memory = Own(read with { State = beams == 1 ? read.State : Array.ConvertAll(read.State, part => part.index_select(1, beam)) });
        _copies = copies is null ? null : Own(beams == 1 ? copies : copies.index_select(0, beam));
        if (sources.Any(source => source.Extra.Count < _extraWords))
            _foreignWords = Own(ForeignWords(sources).index_select(0, beam));
        _coverage = coverage ? Own(zeros([Rows * beams, sources[0].Ids.Length], ScalarType.Float32, CPU)) : null;
        if (coverage && read.IsPadding is { } padding)
            _coverage!.masked_fill_(padding.squeeze(1).index_select(0, beam), Number.One); // padding needs no attention
    }

    /// <summary>The number of sources that are left.</summary>
    public int Rows { get; private set; }

    /// <summary>The number of tokens that can be written: those of the vocabulary, and words of the sources.</summary>
    public int Choices => _architecture.OutputCount + _extraWords;

    /// <summary>Reads the next token of each beam.</summary>
    /// <param name="tokens">The tokens, beam after beam; null for the beginning.</param>
    /// <param name="use">Receives the log probabilities of what can follow, <c>[rows * beams, choices]</c>, which it may change.</param>
    public void Read(ReadOnlySpan<int> tokens, Action<Tensor> use)
    {
        var ids = new long[Rows * _beams];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = tokens.IsEmpty ? _architecture.OutputTokenizer.EndOfSequenceId : _tokenizer.InputOf(tokens[i]);
        using var mode = TorchState.Infer();
        using var threads = Threads(ids.Length);
        using var scope = NewDisposeScope();
        var decoded = _network.Decode(SequenceToSequenceNetwork.Embed(_network.TargetEmbedding, tensor(ids, [1, ids.Length], ScalarType.Int64, CPU)), _memory, _memory.State);
        Replace(_memory with { State = decoded.State });
        _coverage?.add_(decoded.Weights!.view(ids.Length, -1), Number.One);
        var logProbabilities = _network.Distribution(_network.TokensAt(decoded, null), _copies, _extraWords);
        if (_foreignWords is { } foreign)
            logProbabilities.narrow(1, _architecture.OutputCount, _extraWords).masked_fill_(foreign, Number.Of(float.NegativeInfinity));
        use(logProbabilities);
    }

    /// <summary>The coverage penalty of each beam: the sum over its source of the logarithm of the attention, at most 1.</summary>
    public float[] CoveragePenalties()
    {
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        return TensorMemory.Floats(_coverage!.clamp(Number.Of(1e-10), Number.One).log().sum(1).contiguous()).ToArray();
    }

    /// <summary>Goes on with other beams.</summary>
    /// <param name="rows">The rows that go on.</param>
    /// <param name="parents">For each of their beams, the beam that it goes on from, counted over all rows before.</param>
    public void Keep(IReadOnlyList<int> rows, ReadOnlySpan<int> parents)
    {
        var isSame = rows.Count == Rows;
        for (var i = 0; i < parents.Length && isSame; i++)
            isSame = parents[i] == i;
        if (isSame)
            return;
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        var beams = tensor(Array.ConvertAll(parents.ToArray(), parent => (long)parent), ScalarType.Int64, CPU);
        var memory = rows.Count == Rows ? _memory : _memory.Select(tensor(rows.Select(row => (long)row).ToArray(), ScalarType.Int64, CPU));
        var state = Array.ConvertAll(_memory.State, part => part.index_select(1, beams));
        Replace(memory with { State = state });
        if (_copies is { } copies)
            _copies = Own(copies.index_select(0, beams), copies);
        if (_coverage is { } coverage)
            _coverage = Own(coverage.index_select(0, beams), coverage);
        if (_foreignWords is { } foreign)
            _foreignWords = Own(foreign.index_select(0, beams), foreign);
        Rows = rows.Count;
    }

    public void Dispose()
    {
        foreach (var part in TensorsOf(_memory))
            part.Dispose();
        _copies?.Dispose();
        _coverage?.Dispose();
        _foreignWords?.Dispose();
    }

    private static IEnumerable<Tensor> TensorsOf(SourceMemory memory) => new[] { memory.Outputs, memory.Keys, memory.IsPadding }.OfType<Tensor>().Concat(memory.State);

    private static Tensor Own(Tensor value, Tensor? before = null)
    {
        before?.Dispose();
        return value.DetachFromDisposeScope();
    }

    private static SourceMemory Own(SourceMemory memory)
    {
        foreach (var part in TensorsOf(memory))
            part.DetachFromDisposeScope();
        return memory;
    }

    private void Replace(SourceMemory memory)
    {
        var kept = TensorsOf(memory).ToHashSet(ReferenceEqualityComparer.Instance);
        foreach (var part in TensorsOf(_memory).Where(part => !kept.Contains(part)))
            part.Dispose();
        _memory = Own(memory);
    }

    /// <summary>The numbers beyond the vocabulary that stand for words of other sources only, <c>[rows, extra words]</c>.</summary>
    private Tensor ForeignWords(IReadOnlyList<SourceTokens> sources)
    {
        var isForeign = new bool[sources.Count * _extraWords];
        for (var row = 0; row < sources.Count; row++)
            isForeign.AsSpan((row * _extraWords) + sources[row].Extra.Count, _extraWords - sources[row].Extra.Count).Fill(true);
        return tensor(isForeign, [sources.Count, _extraWords], ScalarType.Bool, CPU);
    }

    private Tensor BeamsOf(IEnumerable<int> rows) => tensor(rows.SelectMany(row => Enumerable.Repeat((long)row, _beams)).ToArray(), ScalarType.Int64, CPU);

    private TorchThreads Threads(int tokens) => TorchThreads.Use(TorchThreads.CountFor(_architecture.MultiplyAdds * tokens));
}
