using Microsoft.ML.Runtime;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// Counts the tokens of texts that a language model reads but does not know: it goes on from a token that stands for anything, so that what
/// it writes, and the probability that it gives, have little to do with the text.
/// </summary>
/// <param name="tokenizer">The tokenizer of the model.</param>
internal sealed class UnknownTokens(TextTokenizer tokenizer)
{
    private long _tokens;
    private long _unknown;

    /// <summary>Whether there were any.</summary>
    public bool Any => Interlocked.Read(ref _unknown) > 0;

    /// <summary>Counts the tokens of a text.</summary>
    public void Add(IReadOnlyList<int> ids)
    {
        if (tokenizer.UnknownId is not { } unknown)
            return;
        Interlocked.Add(ref _tokens, ids.Count);
        Interlocked.Add(ref _unknown, ids.Count(id => id == unknown));
    }

    /// <summary>Warns if there were any.</summary>
    /// <param name="host">The host of the log.</param>
    /// <param name="texts">What the texts are, such as "the prompt".</param>
    public void Warn(IHost host, string texts)
    {
        if (!Any)
            return;
        using var channel = host.Start("Text");
        channel.Warning("{0}", FormattableString.Invariant($"{_unknown} of {_tokens} tokens of {texts} are not in the vocabulary of the language model, which reads an unknown token in their place."));
    }
}
