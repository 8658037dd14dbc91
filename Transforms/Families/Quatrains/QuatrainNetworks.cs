using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Quatrains;

/// <summary>Poems that are written side by side. What is computed of one does not depend on the others. For one thread.</summary>
internal abstract class QuatrainBeams
{
    /// <summary>Begins one poem; afterwards <see cref="Logits"/> are those of its first character.</summary>
    public abstract void Begin(string about, int lineLength);

    /// <summary>Goes on with a character each.</summary>
    /// <param name="parents">Which poem each new one continues.</param>
    /// <param name="tokens">The characters.</param>
    /// <param name="line">Where the characters end a line that another follows: its number, from 0; otherwise null.</param>
    public abstract void Advance(int[] parents, int[] tokens, int? line);

    /// <summary>The outputs for a poem, one per token.</summary>
    public abstract ReadOnlySpan<float> Logits(int poem);
}

/// <summary>A network that knows the probability of each next character of a poem.</summary>
internal abstract class QuatrainNetwork(NetworkModelParameters model)
{
    public NetworkModelParameters Model => model;

    public abstract TextTokenizer Tokenizer { get; }

    public abstract QuatrainBeams CreateBeams(int capacity, QuatrainVocabulary vocabulary);

    /// <summary>Computes the log probability of poems; that of the marks between lines may be in it.</summary>
    public abstract double Score(IReadOnlyList<(string About, List<int[]> Lines)> poems, QuatrainVocabulary vocabulary);
}

/// <summary>A language model that reads a poem as one text.</summary>
internal sealed class PlainQuatrainNetwork(LanguageModelTransformer model) : QuatrainNetwork(model.Model)
{
    public LanguageModelTransformer LanguageModel => model;

    public override TextTokenizer Tokenizer => model.Tokenizer;

    public override QuatrainBeams CreateBeams(int capacity, QuatrainVocabulary vocabulary) => new Beams(model.Generator.Managed().CreateBeams(capacity), vocabulary);

    public override double Score(IReadOnlyList<(string About, List<int[]> Lines)> poems, QuatrainVocabulary vocabulary)
    {
        var (sequences, given) = (new List<int[]>(), new List<int>());
        foreach (var (about, lines) in poems)
        {
            var prefix = vocabulary.Prefix(about, lines[0].Length);
            sequences.Add([.. prefix, .. lines.SelectMany((line, i) => line.Select(vocabulary.TokenOf).Append(i < QuatrainPattern.Lines - 1 ? vocabulary.LineMark(i) : Tokenizer.EndOfSequenceId))]);
            given.Add(prefix.Length);
        }
        var logProbabilities = new double[sequences.Count];
        model.Sequences.Score(sequences, logProbabilities, given);
        return logProbabilities.Sum();
    }

    private sealed class Beams(ManagedLanguageModel.TokenBeams beams, QuatrainVocabulary vocabulary) : QuatrainBeams
    {
        public override void Begin(string about, int lineLength)
        {
            beams.Clear();
            foreach (var token in vocabulary.Prefix(about, lineLength))
                beams.Advance([0], [token]);
        }

        public override void Advance(int[] parents, int[] tokens, int? line)
        {
            beams.Advance(parents, tokens, predicts: line == null);
            if (line is { } ended)
                beams.Advance([.. Enumerable.Range(0, tokens.Length)], [.. Enumerable.Repeat(vocabulary.LineMark(ended), tokens.Length)]);
        }

        public override ReadOnlySpan<float> Logits(int poem) => beams.Logits(poem)[..vocabulary.Characters.Length];
    }
}

/// <summary>A network that writes line by line.</summary>
internal sealed class LineQuatrainNetwork(NetworkModelParameters model) : QuatrainNetwork(model)
{
    private const int ScoredPoems = 64;

    private readonly QuatrainLineNetwork _network = (QuatrainLineNetwork)model.Network;

    public override TextTokenizer Tokenizer => ((QuatrainLineArchitecture)Model.Architecture).Tokenizer;

    public override QuatrainBeams CreateBeams(int capacity, QuatrainVocabulary vocabulary) => new Beams(this, vocabulary);

    public override double Score(IReadOnlyList<(string About, List<int[]> Lines)> poems, QuatrainVocabulary vocabulary)
    {
        using var mode = TorchState.Infer();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(Model.Architecture.MultiplyAdds * ScoredPoems));
        var sum = 0.0;
        foreach (var batch in poems.GroupBy(poem => poem.Lines[0].Length).SelectMany(form => form.Chunk(ScoredPoems)))
        {
            using var scope = NewDisposeScope();
            var rows = RowsOf([.. batch.Select(poem => QuatrainTokens.Of(poem.About, poem.Lines, vocabulary))]);
            var targets = rows.narrow(1, 1, QuatrainPattern.Lines * batch[0].Lines[0].Length).reshape(-1, 1);
            sum += _network.call(rows).log_softmax(1).gather(1, targets).sum().item<float>();
        }
        return sum;
    }

    /// <summary>Poems as the network reads them.</summary>
    public static Tensor RowsOf(IReadOnlyList<QuatrainTokens> poems, Device? device = null)
    {
        var length = poems[0].LineLength;
        var width = 1 + (QuatrainPattern.Lines * length) + poems.Max(poem => poem.About.Length);
        var values = new long[poems.Count * width];
        Array.Fill(values, -1);
        for (var i = 0; i < poems.Count; i++)
        {
            values[i * width] = length;
            for (var j = 0; j < poems[i].Characters.Length; j++)
                values[(i * width) + 1 + j] = poems[i].Characters[j];
            for (var j = 0; j < poems[i].About.Length; j++)
                values[(i * width) + 1 + poems[i].Characters.Length + j] = poems[i].About[j];
        }
        return tensor(values, [poems.Count, width], ScalarType.Int64, device ?? CPU);
    }

    private sealed class Beams(LineQuatrainNetwork owner, QuatrainVocabulary vocabulary) : QuatrainBeams
    {
        private readonly QuatrainLineNetwork _network = owner._network;
        private int _length;
        private float[] _logits = [];
        private List<long[]> _lines = [];
        private float[] _before = [];
        private float[] _places = [];
        private float[][] _states = [];

        public override void Begin(string about, int lineLength)
        {
            _length = lineLength;
            using var mode = TorchState.Infer();
            using var scope = NewDisposeScope();
            long[] title = [.. about.EnumerateRunes().Select(character => (long)vocabulary.TokenOf(character.Value))];
            var vectors = _network.Vectors();
            StartLine(_network.Begin(tensor(title, [1, title.Length], ScalarType.Int64, CPU), vectors), vectors);
        }

        public override void Advance(int[] parents, int[] tokens, int? line)
        {
            using var mode = TorchState.Infer();
            using var threads = TorchThreads.Use(1);
            using var scope = NewDisposeScope();
            var vectors = _network.Vectors();
            var size = vectors.shape[1];
            _lines = [.. parents.Select((parent, i) => (long[])[.. _lines[parent], tokens[i]])];
            var order = tensor(Array.ConvertAll(parents, parent => (long)parent), ScalarType.Int64, CPU);
            var before = tensor(_before, [_before.Length / size, size], ScalarType.Float32, CPU).index_select(0, order);
            if (line != null)
            {
                StartLine(_network.After(before, tensor(_lines.SelectMany(text => text).ToArray(), [parents.Length, _length], ScalarType.Int64, CPU), vectors), vectors);
                return;
            }
            var places = tensor(_places, [_places.Length / (_length * size), _length, size], ScalarType.Float32, CPU).index_select(0, order);
            var state = Array.ConvertAll(_states, part => tensor(part, [1, _before.Length / size, part.Length / (_before.Length / size)], ScalarType.Float32, CPU).index_select(1, order));
            (_before, _places) = (Floats(before), Floats(places));
            Keep(_network.Read(tensor(Array.ConvertAll(tokens, token => (long)token), [tokens.Length, 1], ScalarType.Int64, CPU), places.narrow(1, _lines[0].Length, 1), state, vectors));
        }

        public override ReadOnlySpan<float> Logits(int poem) => _logits.AsSpan(poem * vocabulary.Characters.Length, vocabulary.Characters.Length);

        private void StartLine(Tensor before, Tensor vectors)
        {
            var count = (int)before.shape[0];
            var places = _network.Places(before, _length);
            (_before, _places) = (Floats(before), Floats(places));
            _lines = [.. Enumerable.Repeat(Array.Empty<long>(), count)];
            var start = full([count, 1], Number.Of((long)vocabulary.Tokenizer.EndOfSequenceId), ScalarType.Int64, CPU);
            Keep(_network.Read(start, places.narrow(1, 0, 1), null, vectors));
        }

        private void Keep((Tensor Logits, Tensor[] State) result)
        {
            _logits = Floats(result.Logits);
            _states = Array.ConvertAll(result.State, Floats);
        }

        private static float[] Floats(Tensor values) => TensorMemory.Floats(values.contiguous()).ToArray();
    }
}

/// <summary>A poem as tokens.</summary>
internal sealed record QuatrainTokens(int[] About, int[] Characters)
{
    public int LineLength => Characters.Length / QuatrainPattern.Lines;

    public static QuatrainTokens Of(string about, List<int[]> lines, QuatrainVocabulary vocabulary) =>
        new([.. about.EnumerateRunes().Select(character => vocabulary.TokenOf(character.Value))], [.. lines.SelectMany(line => line).Select(vocabulary.TokenOf)]);
}
