using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>Epochs of the Penn Treebank's small network against a hand-written TorchSharp loop on the same tokens, and what its options cost.</summary>
internal sealed class LanguageModelEpochs : IBenchmark
{
    private const int Vocabulary = 10_000;
    private const int Tokens = 20_000;

    public string Name => "language";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var ml = new MLContext(1);
        var tokens = ZipfTokens();
        var data = ml.Data.LoadFromEnumerable([new TextRow { Text = string.Join(' ', tokens.Select(token => $"w{token}")) }]);
        foreach (var threads in new[] { 1, get_num_threads() }.Distinct())
        {
            using var loop = new HandWrittenLanguageModel(tokens, Options(threads), Vocabulary);
            var comparison = Timing.Compare(settings.Rounds, Engine("engine", ml, data, Options(threads)), Contender.Of("hand-written loop", () => loop.Run(threads)));
            yield return Bound.Row($"training a word language model, 2x200, vocabulary of 10,000, {Threads.Text(threads)}, against a hand-written loop", 1.0, comparison, "words", Tokens);
        }
        yield return Against(settings, ml, data, "bfloat16 output layer", options => options.OutputPrecision = Precision.BFloat16);
        yield return Against(settings, ml, data, "sampled softmax, 500 of 10,000", options => options.NumberOfSampledTokens = 500);
        yield return Against(settings, ml, data, "tied embeddings", options => options.TieEmbeddings = true);
    }

    private static ResultRow Against(BenchmarkSettings settings, MLContext ml, IDataView data, string name, Action<LanguageModelEstimator.Options> change)
    {
        var options = Options(get_num_threads());
        change(options);
        var comparison = Timing.Compare(settings.Rounds, Engine(name, ml, data, options), Engine("full softmax", ml, data, Options(get_num_threads())));
        return Bound.Row($"language model: {name}, against the full softmax in float32", null, comparison, "words", Tokens);
    }

    /// <summary>The seconds of the engine's epoch alone, reading left out.</summary>
    private static Contender Engine(string name, MLContext ml, IDataView data, LanguageModelEstimator.Options options) => new(name, () =>
    {
        using var model = ml.LanguageModels.Trainers.Lstm(options).Fit(data);
        return model.History.Epochs.Sum(epoch => epoch.Seconds);
    });

    private static LanguageModelEstimator.Options Options(int threads)
    {
        var options = LanguageModelEstimator.Options.Small();
        options.Epochs = 1;
        options.LearningRateSchedule = LearningRateSchedule.Constant();
        options.ThreadCount = threads;
        return options;
    }

    /// <summary>Every token once, so that the vocabulary is full, and then as often as natural language has its words.</summary>
    private static long[] ZipfTokens()
    {
        var random = new Random(1);
        var drawn = Enumerable.Range(0, Tokens - Vocabulary + 2).Select(_ => (long)Math.Exp(random.NextDouble() * Math.Log(Vocabulary - 2)) - 1);
        long[] tokens = [.. Enumerable.Range(0, Vocabulary - 2), .. drawn];
        random.Shuffle(tokens);
        return tokens;
    }

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }
}
