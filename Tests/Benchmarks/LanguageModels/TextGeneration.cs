using Microsoft.ML;
using MLExtensions.Families.LanguageModels;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>Generating text against the bare network's steps, a token each, on one thread.</summary>
internal sealed class TextGeneration : IBenchmark
{
    private const int Characters = 2000;
    private const int Steps = 200;

    public string Name => "generation";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var before = get_num_threads();
        set_num_threads(1);
        using (var model = Create(new CharacterTokenizer { Vocabulary = ["\n", .. Enumerable.Range(' ', 64).Select(code => ((char)code).ToString())] }, hiddenUnits: 128))
        using (var bare = new BareNetwork(model.Architecture))
        {
            foreach (var (name, temperature) in new[] { ("the likeliest", 0.0), ("drawn", 1.0) })
            {
                var comparison = Timing.Compare(
                    settings.Rounds,
                    Contender.Of("Generate", () => Write(model, temperature)),
                    Contender.Of("bare cell", () => bare.Write(Characters)));
                yield return Bound.Row($"Generate, 2x128, 65 characters, {name}, against embedding, LSTM, linear, argmax", 0.8, comparison, "characters", Characters);
            }
        }
        foreach (var (hiddenUnits, words) in new[] { (128, 65), (200, 10_000), (400, 10_000), (650, 10_000) })
        {
            using var model = Create(new WordTokenizer { Vocabulary = ["<unk>", "<eos>", .. Enumerable.Range(2, words - 2).Select(word => $"w{word}")] }, hiddenUnits);
            var managed = new ManagedLanguageModel(model.Architecture, model.Network);
            var comparison = Timing.Compare(
                settings.Rounds,
                Contender.Of("managed", () => Step(managed.CreateStepper(), words)),
                Contender.Of("torch", () => Step(new TorchStepper(model.Architecture, model.Network), words)));
            yield return Bound.Row($"managed steps, 2x{hiddenUnits}, {words} tokens, against steps of torch", null, comparison, "tokens", Steps);
        }
        set_num_threads(before);
    }

    private static void Write(LanguageModelTransformer model, double temperature)
    {
        var length = model.Generate("", new GenerationOptions { MaximumTokens = Characters, Temperature = temperature, Seed = 1 }).Sum(piece => piece.Length);
        if (length != Characters)
            throw new InvalidOperationException($"{length} characters came.");
    }

    private static void Step(TokenStepper stepper, int vocabulary)
    {
        var logits = new float[vocabulary];
        for (var i = 0; i < Steps; i++)
            stepper.Read([i % vocabulary], logits);
        stepper.Dispose();
    }

    private static LanguageModelTransformer Create(TextTokenizer tokenizer, int hiddenUnits)
    {
        var architecture = new LanguageModelArchitecture
        {
            InputCount = 1,
            OutputCount = tokenizer.VocabularySize,
            Tokenizer = tokenizer,
            Recurrent = new RecurrentLayers(RecurrentCell.Lstm, hiddenUnits, 2),
            EmbeddingSize = hiddenUnits,
        };
        var history = new TrainingHistory { Epochs = [], StopReason = StopReason.Epochs, Seed = 0, ThreadCount = 1, Device = "cpu", Precision = "float32" };
        var context = new MLContext(1);
        var network = architecture.CreateModule();
        Engine.WeightInitializer.Initialize(network, WeightInitialization.XavierUniform, seed: 1);
        var model = new NetworkModelParameters(context, architecture, head: null, network, history);
        return new LanguageModelTransformer(context, model, "Text");
    }

    /// <summary>What one writes with TorchSharp alone.</summary>
    private sealed class BareNetwork(LanguageModelArchitecture architecture) : IDisposable
    {
        private readonly TorchSharp.Modules.Embedding _embedding = nn.Embedding(architecture.OutputCount, architecture.EmbeddingSize);
        private readonly TorchSharp.Modules.LSTM _lstm = nn.LSTM(architecture.EmbeddingSize, architecture.Recurrent.HiddenUnits, architecture.Recurrent.NumberOfLayers);
        private readonly TorchSharp.Modules.Linear _output = nn.Linear(architecture.Recurrent.HiddenUnits, architecture.OutputCount);

        public void Write(int count)
        {
            using var mode = inference_mode();
            using var outer = NewDisposeScope();
            (Tensor, Tensor)? state = null;
            var token = 0L;
            for (var i = 0; i < count; i++)
            {
                using var scope = NewDisposeScope();
                var (hidden, h, c) = _lstm.call(_embedding.call(tensor([token], [1, 1])), state);
                token = _output.call(hidden).argmax(2).item<long>();
                state?.Item1.Dispose();
                state?.Item2.Dispose();
                state = (h.MoveToOuterDisposeScope(), c.MoveToOuterDisposeScope());
            }
        }

        public void Dispose()
        {
            _embedding.Dispose();
            _lstm.Dispose();
            _output.Dispose();
        }
    }
}
