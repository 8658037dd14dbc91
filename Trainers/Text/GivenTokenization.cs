using MLExtensions.Text;
using MLExtensions.Training;

namespace MLExtensions;

/// <inheritdoc cref="Tokenization.Of"/>
internal sealed record GivenTokenization(TextTokenizer Tokenizer) : Tokenization
{
    internal override TokenizerBuilder CreateBuilder() => new GivenTokenizer(() => Tokenizer);

    internal override void Check(string option)
    {
        OptionCheck.NotNull(Tokenizer, $"{option}.tokenizer");
        try
        {
            Tokenizer.Check();
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"{option} is no tokenizer: {e.Message}", option, e);
        }
    }
}
