using MLExtensions.Text;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>How a trainer makes the tokenizer of its text column from the training rows.</summary>
/// <remarks>
/// The vocabulary is ordered by falling frequency in the training rows, with the end of row and the unknown token among the others;
/// tokens of the same frequency are in ordinal order.
/// </remarks>
public abstract record Tokenization
{
    private protected Tokenization()
    {
    }

    /// <summary>Each character is a token; see <see cref="CharacterTokenizer"/>.</summary>
    /// <param name="maximumVocabulary">
    /// The most tokens to have, the line feed and the unknown token included; the rarest characters become unknown. At least 3; null
    /// for no limit.
    /// </param>
    /// <param name="minimumCount">
    /// Characters that occur less often become unknown. At 1, with no <paramref name="maximumVocabulary"/>, there is no unknown token,
    /// and a character that the training rows lack is an error later.
    /// </param>
    public static Tokenization Characters(int? maximumVocabulary = null, int minimumCount = 1) =>
        new CharacterTokenization(maximumVocabulary, minimumCount);

    /// <summary>Words are tokens; see <see cref="WordTokenizer"/>.</summary>
    /// <param name="maximumVocabulary">The most tokens to have, <c>&lt;unk&gt;</c> and <c>&lt;eos&gt;</c> included; the rarest words become <c>&lt;unk&gt;</c>. At least 3.</param>
    /// <param name="minimumCount">Words that occur less often become <c>&lt;unk&gt;</c>. At least 1.</param>
    /// <param name="lowercase">See <see cref="WordTokenizer.Lowercase"/>.</param>
    /// <param name="splitPunctuation">See <see cref="WordTokenizer.SplitPunctuation"/>.</param>
    /// <remarks>Texts with more than four million different words are counted approximately: words met once or so are forgotten at times.</remarks>
    public static Tokenization Words(
        int maximumVocabulary = 10_000, int minimumCount = 1, bool lowercase = false, bool splitPunctuation = false) =>
        new WordTokenization(maximumVocabulary, minimumCount, lowercase, splitPunctuation);

    /// <summary>Parts of words are tokens, as two files of a byte-level byte-pair encoding have them; see <see cref="SubwordTokenizer"/>.</summary>
    /// <param name="vocabularyFile">The file vocab.json; see <see cref="SubwordTokenizer.VocabularyJson"/>.</param>
    /// <param name="mergesFile">The file merges.txt; see <see cref="SubwordTokenizer.Merges"/>.</param>
    public static Tokenization Subwords(string vocabularyFile, string mergesFile) => new SubwordTokenization(vocabularyFile, mergesFile);

    /// <summary>A tokenizer that is there already, for example another model's.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    public static Tokenization Of(TextTokenizer tokenizer) => new GivenTokenization(tokenizer);

    internal abstract TokenizerBuilder CreateBuilder();

    /// <summary>Refuses settings that make no tokenizer.</summary>
    /// <param name="option">The option that holds this value.</param>
    /// <exception cref="ArgumentException">A setting is wrong; the message names the option and the setting.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    internal abstract void Check(string option);

    private protected static void CheckCounts(int? maximumVocabulary, int minimumCount, string option)
    {
        if (maximumVocabulary is { } maximum)
            OptionCheck.AtLeast(maximum, 3, $"{option}.{nameof(maximumVocabulary)}");
        OptionCheck.AtLeast(minimumCount, 1, $"{option}.{nameof(minimumCount)}");
    }
}

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
        OptionCheck.NotEmpty(path, option);
        if (!File.Exists(path))
            throw new FileNotFoundException($"{option}: there is no file '{path}'.", path);
    }
}

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
