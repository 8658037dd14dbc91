using System.Runtime.InteropServices;
using MLExtensions.Text;

namespace MLExtensions.LanguageModels;

/// <summary>Writes text with a language model. Thread-safe.</summary>
internal sealed class TextGenerator(LanguageModelArchitecture architecture, LanguageModelNetwork network)
{
    // Faster than libtorch with one thread at all sizes measured, but it takes a copy of the weights: 4 bytes a multiply-add.
    private const double MaximumManagedMultiplyAdds = 2e7;

    private readonly Lazy<ManagedLanguageModel>? _managed = architecture.MultiplyAdds <= MaximumManagedMultiplyAdds
        ? new(() => new ManagedLanguageModel(architecture, network))
        : null;

    private TextTokenizer Tokenizer => architecture.Tokenizer;

    /// <summary>The text that follows a prompt, piece by piece.</summary>
    /// <param name="prompt">The tokens of the prompt.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="seed">The seed; null draws one each time that the text is enumerated.</param>
    public IEnumerable<string> Write(IReadOnlyList<int> prompt, GenerationOptions options, int? seed)
    {
        using var stepper = CreateStepper();
        var sampler = new TokenSampler(options, seed ?? Random.Shared.Next());
        var filter = new StopStringFilter(options.StopStrings);
        var decoder = Tokenizer.CreateDecoder();
        foreach (var id in prompt)
            decoder.Append(id); // what follows may need a space in front
        var recent = new RecentTokens(prompt, options);
        var logits = new float[architecture.OutputCount];
        stepper.Read([Tokenizer.EndOfRowId, .. prompt], logits);
        for (var count = 1; count <= options.MaximumTokens; count++)
        {
            var id = sampler.Next(logits, recent.Tokens);
            if (options.StopAtEndOfRow && id == Tokenizer.EndOfRowId)
                break;
            var piece = filter.Append(decoder.Append(id));
            if (piece.Length > 0)
                yield return piece;
            if (filter.IsStopped)
                yield break;
            recent.Add(id);
            if (count < options.MaximumTokens)
                stepper.Read([id], logits);
        }
        var rest = filter.Append(decoder.Finish()) + filter.Finish();
        if (rest.Length > 0)
            yield return rest;
    }

    public TokenStepper CreateStepper() => _managed?.Value.CreateStepper() ?? new TorchStepper(architecture, network);

    /// <summary>The last tokens, as many as are looked at.</summary>
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
