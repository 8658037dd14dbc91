using System.Runtime.InteropServices;
using MLExtensions.Tensors;
using MLExtensions.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>Generates text with a language model. Thread-safe.</summary>
internal sealed class TextGenerator(NetworkModelParameters model)
{
    // Faster than libtorch with one thread at all measured sizes, but it needs a copy of the weights: 4 bytes per multiply-add.
    private const double MaximumManagedMultiplyAdds = 2e7;

    private readonly LanguageModelArchitecture _architecture = (LanguageModelArchitecture)model.Architecture;
    private readonly LanguageModelNetwork _network = (LanguageModelNetwork)model.Network;
    private readonly Lock _gate = new();
    private ManagedLanguageModel? _managed;

    private TextTokenizer Tokenizer => _architecture.Tokenizer;

    /// <summary>Generates the text after a prompt, piece by piece.</summary>
    /// <param name="prompt">The tokens of the prompt.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="seed">The seed; null for a random one in each enumeration.</param>
    public IEnumerable<string> Write(IReadOnlyList<int> prompt, GenerationOptions options, int? seed)
    {
        using var stepper = CreateStepper();
        var sampler = new TokenSampler(options, seed ?? Random.Shared.Next());
        var filter = new StopStringFilter(options.StopStrings);
        var decoder = Tokenizer.CreateDecoder();
        foreach (var id in prompt)
            decoder.Append(id); // the next token may need a space before it
        var recent = new RecentTokens(prompt, options);
        var logits = new float[_architecture.OutputCount];
        using (model.Lease())
            stepper.Read([Tokenizer.EndOfSequenceId, .. prompt], logits);
        for (var count = 1; count <= options.MaximumTokens; count++)
        {
            var id = sampler.Next(logits, recent.Tokens);
            if (options.StopAtEndOfSequence && id == Tokenizer.EndOfSequenceId)
                break;
            var piece = filter.Append(decoder.Append(id));
            if (piece.Length > 0)
                yield return piece;
            if (filter.IsStopped)
                yield break;
            recent.Add(id);
            if (count == options.MaximumTokens)
                break;
            // Not for the whole text: it may never be read to its end.
            using (model.Lease())
                stepper.Read([id], logits);
        }
        var rest = filter.Append(decoder.Finish()) + filter.Finish();
        if (rest.Length > 0)
            yield return rest;
    }

    public TokenStepper CreateStepper()
    {
        if (_architecture.MultiplyAdds > MaximumManagedMultiplyAdds)
            return new TorchStepper(_architecture, _network);
        return Managed().CreateStepper();
    }

    /// <summary>The copy of the weights that managed code computes with; made once.</summary>
    public ManagedLanguageModel Managed()
    {
        lock (_gate)
        {
            using var lease = model.Lease();
            return _managed ??= new ManagedLanguageModel(_architecture, _network);
        }
    }

    /// <summary>The most recent tokens, as many as are needed.</summary>
    private sealed class RecentTokens
    {
        private readonly int _window;
        private readonly List<int> _tokens;

        public RecentTokens(IReadOnlyList<int> prompt, GenerationOptions options)
        {
            _window = options.RepetitionPenalty == 1 ? 0 : options.RepetitionWindow;
            _tokens = [.. prompt.Skip(prompt.Count - Math.Min(prompt.Count, _window))];
        }

        public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

        public void Add(int token)
        {
            if (_window == 0)
                return;
            if (_tokens.Count > 2L * _window)
                _tokens.RemoveRange(0, _tokens.Count - _window);
            _tokens.Add(token);
        }
    }
}

/// <summary>
/// Reads a text token by token and predicts the next one. It keeps the state, so each token costs one time step. For one text and one
/// thread.
/// </summary>
internal abstract class TokenStepper : IDisposable
{
    /// <summary>Reads more tokens.</summary>
    /// <param name="tokens">The next tokens, at least one.</param>
    /// <param name="logits">
    /// Receives a logit for each token of the vocabulary, as the successor of the last of <paramref name="tokens"/>.
    /// </param>
    public abstract void Read(ReadOnlySpan<int> tokens, Span<float> logits);

    public virtual void Dispose()
    {
    }
}

/// <summary>Computes time steps with the network itself.</summary>
internal sealed class TorchStepper(LanguageModelArchitecture architecture, LanguageModelNetwork network) : TokenStepper
{
    private const int MaximumSteps = 256;

    private readonly CarriedState _state = new();

    public override void Read(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        using var mode = TorchState.Infer();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(architecture.MultiplyAdds));
        for (var first = 0; first < tokens.Length; first += MaximumSteps)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(MaximumSteps, tokens.Length - first);
            var ids = new long[count];
            for (var i = 0; i < count; i++)
                ids[i] = tokens[first + i];
            var (hidden, next) = network.Run(network.Embed(tensor(ids, [count, 1], ScalarType.Int64, CPU)), _state.Value);
            _state.Keep(next);
            if (first + count == tokens.Length)
                TensorMemory.Floats(network.Logits(hidden.narrow(0, count - 1, 1))).CopyTo(logits);
        }
    }

    public override void Dispose() => _state.Dispose();
}
