namespace MLExtensions.LanguageModels;

/// <summary>Reads a text token by token and knows what may come next. The state is kept: a token more costs one step. For one text and one thread.</summary>
internal abstract class TokenStepper : IDisposable
{
    /// <summary>Reads on.</summary>
    /// <param name="tokens">The next tokens, at least one.</param>
    /// <param name="logits">Takes a logit for each token of the vocabulary: what follows the last of <paramref name="tokens"/>.</param>
    public abstract void Read(ReadOnlySpan<int> tokens, Span<float> logits);

    public virtual void Dispose()
    {
    }
}
