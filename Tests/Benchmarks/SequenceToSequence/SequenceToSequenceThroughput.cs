using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>
/// Training of a sequence-to-sequence network against a hand-written TorchSharp loop on the same pairs, and a beam over the rows of a block against
/// one over each row.
/// </summary>
internal sealed class SequenceToSequenceThroughput : IBenchmark
{
    private const int Units = 128;
    private const int Batch = 64;
    private const int Pairs = 1280;
    private const int Rows = 64;
    private const int Beam = 5;

    public string Name => "sequences";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var ml = new MLContext(1);
        foreach (var vocabulary in new[] { 200, 5000 })
        {
            var pairs = Draw(vocabulary);
            var tokens = pairs.Sum(pair => pair.Target.Length);
            var data = View(ml, pairs);
            foreach (var threads in new[] { 1, get_num_threads() }.Distinct())
            {
                using var loop = new HandWrittenSequenceToSequence(pairs, vocabulary + 1, Units, Batch);
                var comparison = Timing.Compare(
                    settings.Rounds,
                    new Contender("engine", () => Train(ml, data, Options(vocabulary, threads)).Seconds),
                    Contender.Of("hand-written loop", () => loop.Run(threads)));
                yield return Bound.Row($"training LSTM 1x{Units} with Luong's attention, vocabulary of {vocabulary}, batches of {Batch}, {Threads.Text(threads)}, against a hand-written loop", 1.2, comparison, "target tokens", tokens);
            }
        }
        // The vocabulary of bAbI's task 5, and one whose output layer is most of the work: of that, no batch saves anything.
        yield return Beams(settings, ml, vocabulary: 1100, asked: 5);
        yield return Beams(settings, ml, vocabulary: 10_000, asked: null);
    }

    private static ResultRow Beams(BenchmarkSettings settings, MLContext ml, int vocabulary, double? asked)
    {
        var sample = Draw(vocabulary);
        using var model = Train(ml, View(ml, sample), Options(vocabulary, get_num_threads())).Model;
        var options = new DecodingOptions { BeamWidth = Beam, MaximumTokens = 20, MinimumTokens = 20 };
        // The blocks of a view begin with 32 rows.
        var sources = sample[..Rows].Select(pair => model.Writer.Tokenizer.ReadSource(Text(pair.Source), "Source", 0)).ToArray();
        var seeds = new int[Rows];
        var together = Timing.Compare(
            settings.Rounds,
            Contender.Of("together", () => Expect(model.Writer.Write(sources, options, seeds).Length)),
            Contender.Of("one by one", () => Expect(sources.Select(source => model.Writer.Write([source], options, [0])).Count())));
        return Bound.Row($"beam of {Beam} over {Rows} rows of a block, 20 tokens each, vocabulary of {model.OutputTokenizer.VocabularySize}, against the rows one by one", asked, together, "rows", Rows);
    }

    private static void Expect(int rows)
    {
        if (rows != Rows)
            throw new InvalidOperationException($"{rows} answers came.");
    }

    private static (SequenceToSequenceTransformer Model, double Seconds) Train(MLContext ml, IDataView data, SequenceToSequenceEstimator.Options options)
    {
        var model = ml.SequenceToSequence.Trainers.Lstm(options).Fit(data);
        return (model, model.History.Epochs.Sum(epoch => epoch.Seconds));
    }

    private static SequenceToSequenceEstimator.Options Options(int vocabulary, int threads) => new()
    {
        Tokenization = Tokenization.Words(vocabulary + 2),
        HiddenUnits = Units,
        BatchSize = Batch,
        Epochs = 1,
        ThreadCount = threads,
    };

    /// <summary>Lengths as turns of a conversation have them, tokens as often as natural language has its words.</summary>
    private static (long[] Source, long[] Target)[] Draw(int vocabulary)
    {
        var random = new Random(1);
        return Enumerable.Range(0, Pairs).Select(_ => (Turn(), Turn())).ToArray();

        long[] Turn() => [.. Enumerable.Range(0, 3 + (int)(-8 * Math.Log(1 - (random.NextDouble() * 0.95)))).Select(_ => Math.Clamp((long)Math.Exp(random.NextDouble() * Math.Log(vocabulary)), 1, vocabulary))];
    }

    private static IDataView View(MLContext ml, IEnumerable<(long[] Source, long[] Target)> pairs) =>
        ml.Data.LoadFromEnumerable(pairs.Select(pair => new PairRow { Source = Text(pair.Source), Target = Text(pair.Target[..^1]) }).ToList());

    private static string Text(long[] tokens) => string.Join(' ', tokens.Select(token => $"w{token}"));

    private sealed class PairRow
    {
        public string Source { get; set; } = "";

        public string Target { get; set; } = "";
    }
}
