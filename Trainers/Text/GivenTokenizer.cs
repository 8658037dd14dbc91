namespace MLExtensions.Text;

/// <summary>A tokenizer in which the training rows have no say.</summary>
internal sealed class GivenTokenizer(Func<TextTokenizer> create) : TokenizerBuilder
{
    public override bool NeedsText => false;

    public override void Add(ReadOnlySpan<char> row)
    {
    }

    public override TextTokenizer Build() => create();
}
