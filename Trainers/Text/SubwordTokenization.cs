using MLExtensions.Text;

namespace MLExtensions;

/// <inheritdoc cref="Tokenization.Subwords"/>
internal sealed record SubwordTokenization(string VocabularyFile, string MergesFile) : Tokenization
{
    internal override TokenizerBuilder CreateBuilder() => new GivenTokenizer(() =>
    {
        var tokenizer = new SubwordTokenizer
        {
            VocabularyJson = File.ReadAllText(VocabularyFile),
            Merges = File.ReadAllText(MergesFile),
        };
        try
        {
            tokenizer.Check();
        }
        catch (FormatException e)
        {
            throw new FormatException($"'{VocabularyFile}' and '{MergesFile}' make no tokenizer: {e.Message}", e);
        }
        return tokenizer;
    });

    internal override void Check(string option)
    {
        CheckFile(VocabularyFile, $"{option}.vocabularyFile");
        CheckFile(MergesFile, $"{option}.mergesFile");
    }

    private static void CheckFile(string path, string option)
    {
        Training.OptionCheck.NotEmpty(path, option);
        if (!File.Exists(path))
            throw new FileNotFoundException($"{option}: there is no file '{path}'.", path);
    }
}
