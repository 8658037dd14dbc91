namespace MLExtensions.Text;

/// <summary>Makes a tokenizer in one pass over the training rows.</summary>
internal abstract class TokenizerBuilder
{
    /// <summary>Whether the rows have a say.</summary>
    public virtual bool NeedsText => true;

    /// <summary>Counts the tokens of a row and its end.</summary>
    public abstract void Add(ReadOnlySpan<char> row);

    public abstract TextTokenizer Build();
}
