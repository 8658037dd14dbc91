using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Recurrent;
using MLExtensions.Families.SequenceToSequence;
using static TorchSharp.torch;

namespace MLExtensions.Tests.SequenceToSequence;

/// <summary>A source and its target.</summary>
internal sealed class PairSample
{
    public string Source { get; set; } = "";

    public string Target { get; set; } = "";

    public static readonly MLContext Ml = new(1);

    /// <summary>Random words; the target is the source backwards.</summary>
    public static PairSample[] Reversed(int count, int longest = 5, int seed = 1)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, count).Select(_ =>
        {
            var words = Enumerable.Range(0, random.Next(1, longest + 1)).Select(_ => $"w{random.Next(6)}").ToArray();
            return new PairSample { Source = string.Join(' ', words), Target = string.Join(' ', words.Reverse()) };
        }).ToArray();
    }

    public static IDataView View(params IEnumerable<PairSample> pairs) => Ml.Data.LoadFromEnumerable(pairs.ToList());

    /// <summary>A small network over words that are separated by spaces.</summary>
    public static SequenceToSequenceEstimator.Options Options(Action<SequenceToSequenceEstimator.Options>? change = null)
    {
        var options = new SequenceToSequenceEstimator.Options
        {
            Tokenization = Tokenization.Words(),
            HiddenUnits = 24,
            BatchSize = 8,
            Epochs = 3,
            LearningRate = 0.01,
            Seed = TestSeed.Of(3),
            ThreadCount = 1,
        };
        change?.Invoke(options);
        return options;
    }

    public static SequenceToSequenceTransformer Fit(IEnumerable<PairSample> pairs, Action<SequenceToSequenceEstimator.Options>? change = null) =>
        Ml.SequenceToSequence.Trainers.Lstm(Options(change)).Fit(View(pairs));

    /// <summary>A network over few words with random weights.</summary>
    /// <param name="words">The words besides the end and the unknown word.</param>
    /// <param name="change">What is different.</param>
    public static SequenceToSequenceArchitecture Architecture(int words, Action<SequenceToSequenceEstimator.Options>? change = null)
    {
        var options = Options(change);
        var target = options.TargetTokenization == null ? null : Words(words + 1);
        return options.CreateArchitecture(Words(words), target);
    }

    /// <summary>A transformer with random weights, large enough for answers to differ.</summary>
    public static SequenceToSequenceTransformer Random(SequenceToSequenceArchitecture architecture, int seed = 1, double scale = 1)
    {
        var network = (SequenceToSequenceNetwork)Initialize(architecture, seed, scale);
        return new SequenceToSequenceTransformer(Ml, new NetworkModelParameters(Ml, architecture, null, network, null), nameof(Source), nameof(Target), "Answer", new DecodingOptions(), owned: true);
    }

    public static nn.Module<Tensor, Tensor> Initialize(SequenceToSequenceArchitecture architecture, int seed, double scale)
    {
        using var scope = NewDisposeScope();
        var network = architecture.CreateModule();
        RecurrentInitializer.Initialize(network, WeightInitialization.XavierUniform, (ulong)seed, architecture.Encoder.Cell, scale, forgetBias: 1);
        using var noGradient = no_grad();
        foreach (var (name, parameter) in network.named_parameters().Where(entry => entry.parameter.dim() == 1))
            parameter.add_(linspace(-0.3, 0.3, parameter.shape[0], ScalarType.Float32, CPU));
        foreach (var value in network.state_dict().Values)
            value.DetachFromDisposeScope();
        return network;
    }

    private static WordTokenizer Words(int count) => new() { Vocabulary = [.. Enumerable.Range(0, count).Select(i => $"w{i}"), "<eos>", "<unk>"] };
}
